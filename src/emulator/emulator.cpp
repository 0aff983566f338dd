#include "emulator/emulator.hpp"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "base/loop.hpp"
#include "base/rng.hpp"
#include "base/task.hpp"
#include "emulator/fault.hpp"
#include "emulator/resource.hpp"
#include "emulator/schema_value.hpp"
#include "http/server.hpp"

namespace spillway::emulator {

namespace {
struct Reply {
    unsigned status = 200;
    std::string body;
};
}  // namespace

struct Emulator::Impl : std::enable_shared_from_this<Impl> {
    Impl(std::span<Loop* const> given, config::EmulatorConfig c)
        : loops(given.begin(), given.end()), config(std::move(c)) {
        Rng rng(config.seed);
        for (std::size_t i = 0; i < config.resources.size(); ++i)
            resources.push_back(std::make_shared<Resource>(*loops[i % loops.size()], config.resources[i],
                                                           config.host, Rng(rng())));
    }

    Result<void> start();
    void stop_all();
    Task<void> serve(http::Exchange& x);
    Task<Reply> set_fault(std::string_view body);
    Task<Reply> clear_faults();
    Task<Reply> list_faults();
    Task<Reply> stats();
    [[nodiscard]] Result<std::vector<std::shared_ptr<Resource>>> chosen(const Fault& fault) const;

    std::vector<Loop*> loops;
    config::EmulatorConfig config;
    std::vector<std::optional<Loop::Work>> works;  // one for each loop
    std::vector<std::shared_ptr<Resource>> resources;
    std::unique_ptr<http::Server> admin;
};

namespace {

using Ask = std::function<std::string(Resource&)>;

/// Asks the resource on its own thread and comes back with what it says.
Task<std::string> ask_there(std::shared_ptr<Resource> resource, Ask ask) {
    struct Answer {
        std::string text;
        Event there;
    };
    const auto answer = std::make_shared<Answer>();
    const auto home = (co_await this_loop()).inbox();
    resource->loop().post([resource, ask, answer, home] {
        answer->text = ask(*resource);
        home->post([answer] { answer->there.set(); });
    });
    while (!answer->there.is_set()) co_await answer->there.wait();
    co_return std::move(answer->text);
}

/// The answers of several, with commas between.
Task<std::string> gather(const std::vector<std::shared_ptr<Resource>>& resources, const Ask& ask) {
    std::string out;
    for (const auto& resource : resources) {
        const std::string one = co_await ask_there(resource, ask);
        if (!out.empty()) out += ',';
        out += one;
    }
    co_return out;
}

Reply complaint(unsigned status, std::string_view message) {
    return {status, fmt::format(R"({{"error":{{"message":{},"type":"invalid_request_error","param":null,)"
                                R"("code":null}}}})",
                                json_quoted(message))};
}

Reply listed(const std::string& list) {
    return {200, fmt::format(R"({{"resources":[{}]}})", list)};
}

}  // namespace

Result<void> Emulator::Impl::start() {
    for (Loop* loop : loops) works.emplace_back(std::in_place, *loop);
    admin = std::make_unique<http::Server>(
        *loops.front(), http::ServerLimits{}, [weak = weak_from_this()](http::Exchange& x) -> Task<void> {
            // Held by the coroutine: the handler itself may go while it runs.
            return [](std::shared_ptr<Impl> self, http::Exchange& exchange) -> Task<void> {
                if (self) co_await self->serve(exchange);
            }(weak.lock(), x);
        });
    if (auto done = admin->listen({.host = config.host, .port = config.admin_port}); !done)
        return done.error();
    for (const auto& resource : resources)
        if (auto done = resource->start(); !done) return done.error();
    return {};
}

/// Contexts must not be running, or this is called on their one thread.
void Emulator::Impl::stop_all() {
    if (admin) admin->close();
    admin.reset();
    for (const auto& resource : resources) resource->stop();
    works.clear();
}

Result<std::vector<std::shared_ptr<Resource>>> Emulator::Impl::chosen(const Fault& fault) const {
    if (fault.resource == 0 && fault.resource_name.empty()) return resources;
    for (std::size_t i = 0; i < resources.size(); ++i)
        if (i + 1 == fault.resource || resources[i]->name() == fault.resource_name)
            return std::vector{resources[i]};
    return fail(fmt::format("there is no such resource; there are {}, counted from 1", resources.size()));
}

Task<Reply> Emulator::Impl::set_fault(std::string_view body) {
    const auto fault = parse_fault(body);
    if (!fault) co_return complaint(400, fault.error().message);
    const auto targets = chosen(*fault);
    if (!targets) co_return complaint(400, targets.error().message);
    const Ask set = [&fault](Resource& r) {
        r.set_fault(*fault);
        return std::string();
    };
    (void)co_await gather(*targets, set);
    co_return Reply{200, fmt::format(R"({{"set":{}}})", targets->size())};
}

Task<Reply> Emulator::Impl::clear_faults() {
    const Ask clear = [](Resource& r) {
        r.clear_faults();
        return std::string();
    };
    (void)co_await gather(resources, clear);
    co_return Reply{200, R"({"cleared":true})"};
}

Task<Reply> Emulator::Impl::list_faults() {
    const Ask list = [](Resource& r) {
        return fmt::format(R"({{"name":{},"faults":{}}})", json_quoted(r.name()), r.faults_json());
    };
    const std::string all = co_await gather(resources, list);
    co_return listed(all);
}

Task<Reply> Emulator::Impl::stats() {
    const Ask stats_of = [](Resource& r) { return r.stats_json(); };
    const std::string all = co_await gather(resources, stats_of);
    co_return listed(all);
}

Task<void> Emulator::Impl::serve(http::Exchange& x) {
    const std::string_view target = x.request().target;
    const std::string_view path = target.substr(0, target.find('?'));
    const std::string_view method = x.request().method;
    Reply reply;
    if (path == "/healthz")
        reply.body = R"({"status":"ok"})";
    else if (path == "/stats")
        reply = co_await stats();
    else if (path != "/faults")
        reply = complaint(404, "try /stats, /faults or /healthz");
    else if (method == "POST")
        reply = co_await set_fault(x.body());
    else if (method == "DELETE")
        reply = co_await clear_faults();
    else if (method == "GET")
        reply = co_await list_faults();
    else
        reply = complaint(405, "GET, POST or DELETE");
    const std::array<http::Field, 2> fields = {
        {{"content-type", "application/json"}, {"cache-control", "no-store"}}};
    const std::span<const http::Field> extra(fields);
    const std::string_view body(reply.body);
    (void)co_await x.respond(reply.status, extra, body);
}

Emulator::Emulator(Loop& loop, config::EmulatorConfig config) {
    Loop* const one = &loop;
    impl_ = std::make_shared<Impl>(std::span(&one, 1), std::move(config));
}
Emulator::Emulator(std::span<Loop* const> loops, config::EmulatorConfig config)
    : impl_(std::make_shared<Impl>(loops, std::move(config))) {}

Emulator::~Emulator() {
    impl_->stop_all();
}

Result<void> Emulator::start() {
    return impl_->start();
}

void Emulator::stop() {
    for (std::size_t i = 0; i < impl_->loops.size(); ++i)
        impl_->loops[i]->post([impl = impl_, i] {
            if (i == 0 && impl->admin) {
                impl->admin->close();
                impl->admin.reset();
            }
            for (std::size_t r = i; r < impl->resources.size(); r += impl->loops.size())
                impl->resources[r]->stop();
            if (i < impl->works.size()) impl->works[i].reset();
        });
}

}  // namespace spillway::emulator
