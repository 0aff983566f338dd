#include "emulator/emulator.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "emulator/fault.hpp"
#include "emulator/resource.hpp"
#include "emulator/schema_value.hpp"
#include "http/server.hpp"

namespace spillway::emulator {

using Guard = asio::executor_work_guard<asio::io_context::executor_type>;

namespace {
struct Reply {
    unsigned status = 200;
    std::string body;
};
}  // namespace

struct Emulator::Impl : std::enable_shared_from_this<Impl> {
    Impl(std::span<asio::io_context* const> given, config::EmulatorConfig c)
        : contexts(given.begin(), given.end()), config(std::move(c)) {
        Rng rng(config.seed);
        for (std::size_t i = 0; i < config.resources.size(); ++i)
            resources.push_back(std::make_shared<Resource>(*contexts[i % contexts.size()],
                                                           config.resources[i], config.host, Rng(rng())));
    }

    Result<void> start();
    void stop_all();
    asio::awaitable<void> serve(http::Exchange& x);
    asio::awaitable<Reply> set_fault(std::string_view body);
    asio::awaitable<Reply> clear_faults();
    asio::awaitable<Reply> list_faults();
    asio::awaitable<Reply> stats();
    [[nodiscard]] Result<std::vector<std::shared_ptr<Resource>>> chosen(const Fault& fault) const;

    std::vector<asio::io_context*> contexts;
    config::EmulatorConfig config;
    std::vector<Guard> guards;  // one for each context
    std::vector<std::shared_ptr<Resource>> resources;
    std::unique_ptr<http::Server> admin;
};

namespace {

using Ask = std::function<std::string(Resource&)>;

asio::awaitable<std::string> run(std::shared_ptr<Resource> resource, Ask ask) {
    co_return ask(*resource);
}

/// Asks the resource on its own thread and comes back with what it says.
asio::awaitable<std::string> ask_there(std::shared_ptr<Resource> resource, Ask ask) {
    asio::awaitable<std::string> there = run(resource, std::move(ask));
    co_return co_await asio::co_spawn(resource->context(), std::move(there), asio::use_awaitable);
}

/// The answers of several, with commas between.
asio::awaitable<std::string> gather(const std::vector<std::shared_ptr<Resource>>& resources, const Ask& ask) {
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
    for (asio::io_context* context : contexts) guards.emplace_back(context->get_executor());
    admin = std::make_unique<http::Server>(
        *contexts.front(), http::ServerLimits{},
        [weak = weak_from_this()](http::Exchange& x) -> asio::awaitable<void> {
            // Held by the coroutine: the handler itself may go while it runs.
            return [](std::shared_ptr<Impl> self, http::Exchange& exchange) -> asio::awaitable<void> {
                if (self) co_await self->serve(exchange);
            }(weak.lock(), x);
        });
    if (auto done = admin->listen({.host = config.host, .port = config.admin_port, .reuse_port = false});
        !done)
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
    guards.clear();
}

Result<std::vector<std::shared_ptr<Resource>>> Emulator::Impl::chosen(const Fault& fault) const {
    if (fault.resource == 0 && fault.resource_name.empty()) return resources;
    for (std::size_t i = 0; i < resources.size(); ++i)
        if (i + 1 == fault.resource || resources[i]->name() == fault.resource_name)
            return std::vector{resources[i]};
    return fail(fmt::format("there is no such resource; there are {}, counted from 1", resources.size()));
}

asio::awaitable<Reply> Emulator::Impl::set_fault(std::string_view body) {
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

asio::awaitable<Reply> Emulator::Impl::clear_faults() {
    const Ask clear = [](Resource& r) {
        r.clear_faults();
        return std::string();
    };
    (void)co_await gather(resources, clear);
    co_return Reply{200, R"({"cleared":true})"};
}

asio::awaitable<Reply> Emulator::Impl::list_faults() {
    const Ask list = [](Resource& r) {
        return fmt::format(R"({{"name":{},"faults":{}}})", json_quoted(r.name()), r.faults_json());
    };
    const std::string all = co_await gather(resources, list);
    co_return listed(all);
}

asio::awaitable<Reply> Emulator::Impl::stats() {
    const Ask stats_of = [](Resource& r) { return r.stats_json(); };
    const std::string all = co_await gather(resources, stats_of);
    co_return listed(all);
}

asio::awaitable<void> Emulator::Impl::serve(http::Exchange& x) {
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

Emulator::Emulator(asio::io_context& context, config::EmulatorConfig config) {
    asio::io_context* const one = &context;
    impl_ = std::make_shared<Impl>(std::span(&one, 1), std::move(config));
}
Emulator::Emulator(std::span<asio::io_context* const> contexts, config::EmulatorConfig config)
    : impl_(std::make_shared<Impl>(contexts, std::move(config))) {}

Emulator::~Emulator() {
    impl_->stop_all();
}

Result<void> Emulator::start() {
    return impl_->start();
}

void Emulator::stop() {
    for (std::size_t i = 0; i < impl_->contexts.size(); ++i)
        asio::post(*impl_->contexts[i], [impl = impl_, i] {
            if (i == 0 && impl->admin) {
                impl->admin->close();
                impl->admin.reset();
            }
            for (std::size_t r = i; r < impl->resources.size(); r += impl->contexts.size())
                impl->resources[r]->stop();
            if (i < impl->guards.size()) impl->guards[i].reset();
        });
}

}  // namespace spillway::emulator
