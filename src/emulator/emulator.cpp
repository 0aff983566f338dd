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
    asio::awaitable<void> serve_faults(http::Exchange& x);
    asio::awaitable<std::string> gather(std::function<std::string(Resource&)> ask);
    [[nodiscard]] Result<std::vector<std::shared_ptr<Resource>>> chosen(const Fault& fault) const;

    std::vector<asio::io_context*> contexts;
    config::EmulatorConfig config;
    std::vector<Guard> guards;  // one for each context
    std::vector<std::shared_ptr<Resource>> resources;
    std::unique_ptr<http::Server> admin;
};

namespace {

/// Runs `work` on the resource's thread and comes back with its result.
template <class Work>
asio::awaitable<std::string> on_thread_of(std::shared_ptr<Resource> resource, Work work) {
    asio::io_context& context = resource->context();
    co_return co_await asio::co_spawn(
        context,
        [](std::shared_ptr<Resource> r, Work w) -> asio::awaitable<std::string> { co_return w(*r); }(resource,
                                                                                                     work),
        asio::use_awaitable);
}

asio::awaitable<void> say(http::Exchange& x, unsigned status, std::string_view body) {
    const std::array<http::Field, 2> fields = {
        {{"content-type", "application/json"}, {"cache-control", "no-store"}}};
    co_await x.respond(status, std::span<const http::Field>(fields), body);
}

asio::awaitable<void> complain(http::Exchange& x, unsigned status, std::string_view message) {
    const std::string body =
        fmt::format(R"({{"error":{{"message":{},"type":"invalid_request_error","param":null,"code":null}}}})",
                    json_quoted(message));
    co_await say(x, status, body);
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

asio::awaitable<std::string> Emulator::Impl::gather(std::function<std::string(Resource&)> ask) {
    std::string out;
    for (const auto& resource : resources) {
        if (!out.empty()) out += ',';
        out += co_await on_thread_of(resource, ask);
    }
    co_return out;
}

Result<std::vector<std::shared_ptr<Resource>>> Emulator::Impl::chosen(const Fault& fault) const {
    if (fault.resource == 0 && fault.resource_name.empty()) return resources;
    for (std::size_t i = 0; i < resources.size(); ++i)
        if (i + 1 == fault.resource || resources[i]->name() == fault.resource_name)
            return std::vector{resources[i]};
    return fail(fmt::format("there is no such resource; there are {}, counted from 1", resources.size()));
}

asio::awaitable<void> Emulator::Impl::serve_faults(http::Exchange& x) {
    const std::string_view method = x.request().method;
    if (method == "POST") {
        const auto fault = parse_fault(x.body());
        if (!fault) co_return co_await complain(x, 400, fault.error().message);
        const auto targets = chosen(*fault);
        if (!targets) co_return co_await complain(x, 400, targets.error().message);
        for (const auto& resource : *targets)
            (void)co_await on_thread_of(resource, [f = *fault](Resource& r) {
                r.set_fault(f);
                return std::string();
            });
        co_return co_await say(x, 200, fmt::format(R"({{"set":{}}})", targets->size()));
    }
    if (method == "DELETE") {
        (void)co_await gather([](Resource& r) {
            r.clear_faults();
            return std::string();
        });
        co_return co_await say(x, 200, R"({"cleared":true})");
    }
    if (method != "GET") co_return co_await complain(x, 405, "GET, POST or DELETE");
    const std::string list = co_await gather([](Resource& r) {
        return fmt::format(R"({{"name":{},"faults":{}}})", json_quoted(r.name()), r.faults_json());
    });
    co_await say(x, 200, fmt::format(R"({{"resources":[{}]}})", list));
}

asio::awaitable<void> Emulator::Impl::serve(http::Exchange& x) {
    const std::string_view target = x.request().target;
    const std::string_view path = target.substr(0, target.find('?'));
    if (path == "/healthz") co_return co_await say(x, 200, R"({"status":"ok"})");
    if (path == "/faults") co_return co_await serve_faults(x);
    if (path != "/stats") co_return co_await complain(x, 404, "try /stats, /faults or /healthz");
    const std::string list = co_await gather([](Resource& r) { return r.stats_json(); });
    co_await say(x, 200, fmt::format(R"({{"resources":[{}]}})", list));
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
