#include "app/stack_runner.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <deque>
#include <filesystem>
#include <fstream>

#include "base/clock.hpp"

namespace spillway::app::stack {
namespace {

constexpr std::chrono::milliseconds answer_limit{2000};
constexpr long pause_nanoseconds = 20'000'000;
constexpr std::size_t shown_log_lines = 15;

std::string record_file(std::string_view name) {
    return fmt::format("{}.pid", name);
}
std::string log_file(std::string_view name) {
    return fmt::format("{}.log", name);
}

std::string joined(const std::vector<std::string>& reasons) {
    std::string out;
    for (const std::string& reason : reasons) out += (out.empty() ? "" : ", ") + reason;
    return out;
}

}  // namespace

Runner::Runner(const Folder& folder, std::string program, Limits limits, Say say)
    : folder_(folder), program_(std::move(program)), limits_(limits), say_(std::move(say)) {
    sigemptyset(&held_back_);
    sigaddset(&held_back_, SIGINT);
    sigaddset(&held_back_, SIGTERM);
    sigaddset(&held_back_, SIGHUP);
    ::pthread_sigmask(SIG_BLOCK, &held_back_, &usual_);
}

Runner::~Runner() {
    ::pthread_sigmask(SIG_SETMASK, &usual_, nullptr);
}

void Runner::pause() {
    const timespec most{0, pause_nanoseconds};
    if (::sigtimedwait(&held_back_, nullptr, &most) > 0) interrupted_ = true;
}

std::optional<Record> Runner::record_of(std::string_view name) const {
    const auto values = folder_.read_values(record_file(name));
    if (!values || !*values) return std::nullopt;
    const auto process = process_from(**values);
    if (!process) return std::nullopt;
    Record record{*process, std::nullopt};
    if (auto spec = spec_from(**values)) record.spec = std::move(*spec);
    return record;
}

Result<void> Runner::write_record(std::string_view name, const ProcessId& process,
                                  const ServiceSpec* spec) const {
    Values values = to_values(process);
    if (spec != nullptr) values.merge(to_values(*spec));
    return folder_.write(record_file(name), format_values(values));
}

std::vector<Observed> Runner::observe(const std::vector<Service>& services) const {
    std::vector<Observed> out;
    for (const Service& service : services) {
        Observed& one = out.emplace_back();
        const auto record = record_of(service.name);
        if (!record) continue;
        one.record = record->spec;
        one.running = is_running(record->process);
        // Asked only where a restart is not already due: a changed health port would say nothing.
        one.answers = one.running &&
                      (one.record != service.spec ||
                       stack::answers(service.health_port, service.health_path, answer_limit).has_value());
    }
    return out;
}

Result<void> Runner::stop_service(std::string_view name, const ProcessId& process) {
    const bool was_interrupted = interrupted_;
    const Stopped how = stop(process, limits_.grace, [this] { pause(); });
    if (how == Stopped::still_there)
        return fail(fmt::format("the {} (process {}) cannot be stopped", name, process.pid));
    folder_.erase(record_file(name));
    if (how == Stopped::killed)
        say_(fmt::format("  {:<9} did not end within {} s and was killed", name,
                         limits_.grace.count() / 1000));
    else if (how == Stopped::ended)
        say_(fmt::format("  {:<9} stopped", name));
    if (interrupted_ && !was_interrupted) return fail("interrupted");
    return {};
}

Result<ProcessId> Runner::launch(const Service& service, std::string_view config_text,
                                 const ServiceSpec* spec) {
    if (auto written = folder_.write(service.config_file, config_text); !written) return written.error();
    std::error_code ec;
    const std::string log = folder_.file(log_file(service.name));
    std::filesystem::rename(log, log + ".1", ec);  // the last run's, for whoever looks for a fault
    auto process = start({program_, service.arguments, folder_.path().string(), log});
    if (!process) return process.error();
    if (auto written = write_record(service.name, *process, spec); !written) {
        static_cast<void>(stop(*process, limits_.grace, [this] { pause(); }));
        return written.error();
    }
    return *process;
}

std::string Runner::last_lines(std::string_view name) const {
    const std::string path = folder_.file(log_file(name));
    std::ifstream in(path);
    std::deque<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.push_back(std::move(line));
        if (lines.size() > shown_log_lines) lines.pop_front();
    }
    if (lines.empty()) return fmt::format("\n  {} is empty", path);
    std::string out = fmt::format("\n  the end of {}:", path);
    for (const std::string& line : lines) out += "\n    " + line;
    return out;
}

Result<void> Runner::wait_ready(const Service& service, const ProcessId& process) {
    const Mono begin = mono_now();
    for (;;) {
        // Asked before the look at the process: one that cannot have its port ends, and another may answer
        // there.
        const auto answered = stack::answers(service.health_port, service.health_path, answer_limit);
        if (const auto end = how_it_ended(process))
            return fail(
                fmt::format("the {} {} before it was ready{}", service.name, *end, last_lines(service.name)));
        if (answered) {
            say_(fmt::format("  {:<9} ready after {:.1f} s (process {})", service.name,
                             to_seconds(mono_now() - begin), process.pid));
            return {};
        }
        pause();
        if (interrupted_) return fail("interrupted");
        if (mono_now() - begin > limits_.ready)
            return fail(fmt::format("the {} does not answer on port {} after {} s{}", service.name,
                                    service.health_port, limits_.ready.count() / 1000,
                                    last_lines(service.name)));
    }
}

Result<void> Runner::go(const std::vector<Step>& steps, std::vector<Before>& before) {
    for (std::size_t i = steps.size(); i-- > 0;) {
        if (steps[i].kind != Step::Kind::restart) continue;
        say_(fmt::format("  {:<9} restarting: {}", before[i].service->name, joined(steps[i].reasons)));
        before[i].stopped = true;
        if (auto r = stop_service(before[i].service->name, before[i].record->process); !r) return r.error();
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i].kind == Step::Kind::keep) continue;
        const Service& service = *before[i].service;
        const std::string why = steps[i].kind == Step::Kind::start ? joined(steps[i].reasons) : std::string();
        say_(fmt::format("  {:<9} starting{}: {}", service.name, why.empty() ? "" : " (" + why + ")",
                         service.describe));
        before[i].started = true;
        const auto process = launch(service, service.config_text, &service.spec);
        if (!process) return process.error();
        if (auto r = wait_ready(service, *process); !r) return r.error();
    }
    return {};
}

Result<void> Runner::apply(const std::vector<Service>& services, const std::vector<Step>& steps) {
    std::vector<Before> before;
    for (std::size_t i = 0; i < services.size(); ++i) {
        Before& one = before.emplace_back();
        one.service = &services[i];
        one.record = record_of(services[i].name);
        one.ran = one.record && is_running(one.record->process);
        if (steps[i].kind != Step::Kind::restart) continue;
        auto text = folder_.read(services[i].config_file);
        if (!text) return text.error();
        one.config_text = std::move(*text).value_or("");
    }
    auto done = go(steps, before);
    if (!done) roll_back(before);
    return done;
}

void Runner::roll_back(std::vector<Before>& before) {
    interrupted_ = false;  // what follows is the answer to it
    say_("  going back to what was before");
    for (std::size_t i = before.size(); i-- > 0;) {
        const auto record = before[i].started ? record_of(before[i].service->name) : std::nullopt;
        if (!record) continue;
        if (auto r = stop_service(before[i].service->name, record->process); !r)
            say_(fmt::format("  {:<9} {}", before[i].service->name, r.error().message));
    }
    for (Before& one : before) {
        if (!one.ran || !one.stopped || is_running(one.record->process)) continue;
        Service old = *one.service;
        if (one.record->spec)
            for (const NamedPort& port : one.record->spec->ports)
                if (port.setting == setting::admin_port || port.setting == setting::emulator_admin_port)
                    old.health_port = port.number;
        const auto process = launch(old, one.config_text, one.record->spec ? &*one.record->spec : nullptr);
        auto back = process ? wait_ready(old, *process) : Result<void>(process.error());
        if (!back) say_(fmt::format("  {:<9} not back: {}", old.name, back.error().message));
    }
}

Result<void> Runner::stop_all() {
    bool any = false;
    for (std::size_t i = service_names.size(); i-- > 0;) {
        const auto record = record_of(service_names[i]);
        if (record && is_running(record->process)) {
            any = true;
            if (auto r = stop_service(service_names[i], record->process); !r) return r.error();
        }
        folder_.erase(record_file(service_names[i]));
    }
    if (!any) say_("  nothing is running");
    return {};
}

}  // namespace spillway::app::stack
