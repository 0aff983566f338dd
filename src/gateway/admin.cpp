#include "gateway/admin.hpp"

#include <fmt/format.h>

#include "api/error.hpp"
#include "api/json_text.hpp"
#include "telemetry/text.hpp"

namespace spillway::gateway {

namespace {

void append_string(std::string& out, std::string_view key, std::string_view value) {
    fmt::format_to(std::back_inserter(out), "\"{}\":", key);
    api::append_json_string(out, value);
}

template <class T>
void append_optional(std::string& out, std::string_view key, const std::optional<T>& value) {
    if (value)
        fmt::format_to(std::back_inserter(out), "\"{}\":{}", key, *value);
    else
        fmt::format_to(std::back_inserter(out), "\"{}\":null", key);
}

/// State, and for what is not available: until when, as a time stamp and as seconds from now.
void append_state(std::string& out, routing::BackendView::State state, Duration left) {
    append_string(out, "state", routing::to_string(state));
    if (left <= Duration::zero()) {
        out += ",\"until\":null,\"seconds_left\":0";
        return;
    }
    out += ",\"until\":\"";
    telemetry::Rfc3339().append(out, wall_now() + left);
    fmt::format_to(std::back_inserter(out), "\",\"seconds_left\":{:.3f}", to_seconds(left));
}

void append_deployment(std::string& out, const routing::BackendView::Deployment& d) {
    out += '{';
    append_string(out, "name", d.name);
    out += ',';
    append_state(out, d.state, d.until);
    out += ',';
    append_optional(out, "tpm", d.tpm);
    out += ',';
    append_optional(out, "rpm", d.rpm);
    out += ',';
    append_optional(out, "remaining_tokens", d.remaining_tokens);
    out += ',';
    append_optional(out, "remaining_requests", d.remaining_requests);
    fmt::format_to(std::back_inserter(out), ",\"reserved_tokens\":{},\"in_flight\":{}}}", d.reserved_tokens,
                   d.in_flight);
}

}  // namespace

Admin::Admin(asio::io_context& context, Gateway& gateway)
    : gateway_(gateway),
      server_(context, http::ServerLimits{}, [this](http::Exchange& exchange) { return handle(exchange); }) {}

Result<void> Admin::listen() {
    const auto& where = gateway_.snapshot()->config.admin.listen;
    return server_.listen({where.host, where.port, false});
}

bool Admin::allowed(const http::Exchange& exchange) const {
    const auto snapshot = gateway_.snapshot();
    const auto& token = snapshot->config.admin.token;
    return token.empty() ||
           identity::constant_time_equal(identity::presented_key(exchange.request().fields), token.reveal());
}

std::string Admin::backends_json() const {
    const auto snapshot = gateway_.snapshot();
    const auto views = snapshot->router->view(mono_now());
    std::string out = "{\"backends\":[";
    for (std::size_t i = 0; i < views.size(); ++i) {
        const auto& b = views[i];
        out += i == 0 ? "{" : ",{";
        append_string(out, "name", b.name);
        out += ',';
        append_string(out, "url", snapshot->config.backends[i].url.to_string());
        out += ',';
        append_state(out, b.state, b.until);
        out += ',';
        append_string(out, "reason", b.reason);
        fmt::format_to(std::back_inserter(out),
                       ",\"priority\":{},\"weight\":{},\"in_flight\":{},\"served\":{},\"throttled\":{},"
                       "\"failed\":{},\"deployments\":[",
                       b.priority, b.weight, b.in_flight, b.served, b.throttled, b.failed);
        for (std::size_t j = 0; j < b.deployments.size(); ++j) {
            if (j > 0) out += ',';
            append_deployment(out, b.deployments[j]);
        }
        out += "]}";
    }
    out += "]}\n";
    return out;
}

asio::awaitable<void> Admin::handle(http::Exchange& exchange) {
    const std::string_view target = exchange.request().target;
    const std::string_view path = target.substr(0, target.find('?'));
    const std::string_view method = exchange.request().method;
    const http::Field plain{"content-type", "text/plain; charset=utf-8"};
    const auto text = [&](unsigned status, std::string_view body) {
        return exchange.respond(status, {&plain, 1}, body);
    };
    if (path == "/healthz") {
        (void)co_await text(200, "ok\n");
        co_return;
    }
    if (path == "/readyz") {
        const bool ready = !draining_ && gateway_.snapshot()->router->ready(mono_now());
        (void)co_await text(ready ? 200 : 503, ready ? "ready\n" : "no backend is usable\n");
        co_return;
    }
    unsigned status = 404;
    std::string body;
    if (!allowed(exchange)) {
        status = 401;
        body = api::error_json("The admin token is missing or wrong.", "authentication_error", "401");
    } else if (method != "GET" && method != "HEAD") {
        status = 405;
        body = api::error_json("Only GET is known here.", "invalid_request_error", "405");
    } else if (path == "/metrics") {
        const std::string metrics = gateway_.registry().render();
        const http::Field type{"content-type", telemetry::kMetricsContentType};
        (void)co_await exchange.respond(200, {&type, 1}, metrics);
        co_return;
    } else if (path == "/api/backends") {
        status = 200;
        body = backends_json();
    } else if (path == "/api/clients") {
        status = 200;
        body = clients_json();
    } else if (path == "/api/usage") {
        auto answer = co_await usage(std::string(target));
        status = answer.first;
        body = std::move(answer.second);
    } else {
        body = api::error_json("There is no such page.", "invalid_request_error", "404");
    }
    const std::array<http::Field, 2> json{
        {{"content-type", "application/json"}, {"cache-control", "no-store"}}};
    (void)co_await exchange.respond(status, json, body);
}

}  // namespace spillway::gateway
