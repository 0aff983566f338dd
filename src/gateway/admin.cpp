#include "gateway/admin.hpp"

#include <fcntl.h>

#include <array>

#include "api/error.hpp"
#include "api/route.hpp"
#include "base/json.hpp"
#include "base/task.hpp"
#include "config/describe.hpp"
#include "gateway/admin_view.hpp"
#include "gateway/key_calls.hpp"
#include "http/same_origin.hpp"

namespace spillway::gateway {

namespace {

std::string error_body(std::string_view message, std::string_view code) {
    return api::error_json(message, "invalid_request_error", code);
}

/// For those who ask how it is when clients have taken all descriptors.
constexpr std::size_t kept_aside = 8;

/// Bodies are read for changes of keys alone, once it is known who asks; the largest is an import. The
/// connections are few: dashboards, probes, scrapers.
http::ServerLimits limits() {
    http::ServerLimits out;
    out.max_body_bytes = std::size_t{32} * 1024 * 1024;
    out.max_connections = 1024;
    return out;
}

}  // namespace

Admin::Admin(Loop& loop, Gateway& gateway, Page page)
    : gateway_(gateway),
      page_(std::move(page)),
      hosts_(http::own_hosts(gateway.snapshot()->config.admin.listen.host)),
      answers_(gateway.registry()),
      in_flight_(requests_in_flight(gateway.registry())),
      login_(gateway),
      server_(loop, limits(), [this](http::Exchange& exchange) { return handle(exchange); }) {
    server_.hand_over_heads();
    server_.keep_descriptors(kept_aside);
}

Result<void> Admin::listen(FileDescriptor socket) {
    const auto& where = gateway_.snapshot()->config.admin.listen;
    if (!socket.is_open()) {
        auto opened = http::open_listeners({where.host, where.port}, 1);
        if (!opened) return opened.error();
        socket = std::move(opened->front());
    }
    socket_ = FileDescriptor(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    return server_.listen(std::move(socket));
}

void Admin::hand_over() {
    socket_.reset();
    server_.announce_end();
    server_.stop_accepting();
}

std::optional<Admin::Who> Admin::who(const http::Exchange& exchange) const {
    const auto snapshot = gateway_.snapshot();
    const config::AdminConfig& admin = snapshot->config.admin;
    if (admin.is_open()) return Who{"anyone"};
    const std::string_view shown = identity::presented_key(exchange.request().fields);
    std::optional<Who> who;
    if (shown.empty()) {
        if (auto visitor = login_.visitor(exchange.request(), admin, wall_now()))
            who = Who{identity::audit_name(visitor->person), visitor->role, std::move(visitor->person)};
        return who;
    }
    if (!admin.token.empty() && identity::constant_time_equal(shown, admin.token.reveal()))
        who = Who{"admin"};
    for (const config::AdminTokenConfig& one : admin.tokens)
        if (identity::constant_time_equal(shown, one.token.reveal())) who = Who{one.name, one.role};
    return who;
}

Admin::Reply Admin::forbidden(const Who& who, config::AdminRole needed) {
    if (who.role >= needed) return {200, {}};
    return {403, error_body(needed == config::AdminRole::operate ? "That is for the roles operator and admin."
                                                                 : "That is for the role admin.",
                            "role_not_allowed")};
}

Admin::Reply Admin::foreign(const http::Exchange& exchange) const {
    const bool open = gateway_.snapshot()->config.admin.is_open();
    const std::span<const std::string> any;
    switch (http::judge(exchange.request(), open ? hosts_ : any, false)) {
        case http::Verdict::foreign_host:
            return {421, error_body("Without admin.token, only loopback names are answered here.",
                                    "unknown_host")};
        case http::Verdict::foreign_origin:
            return {403, error_body("Only the dashboard's own page may ask for that.", "foreign_origin")};
        case http::Verdict::wrong_type:  // who reads a body looks at its type
        case http::Verdict::good:
            break;
    }
    return {200, {}};
}

Admin::Reply Admin::forged(const http::Exchange& exchange) const {
    const auto snapshot = gateway_.snapshot();
    const auto& oidc = snapshot->config.admin.oidc;
    if (oidc && http::is_of_origin(exchange.request(), oidc->origin())) return {200, {}};
    return {403,
            error_body("With a log-in, only the dashboard's own page may ask for that.", "foreign_origin")};
}

Admin::Reply Admin::session(const std::optional<Who>& who) const {
    const auto snapshot = gateway_.snapshot();
    const config::AdminConfig& admin = snapshot->config.admin;
    const schema::SessionRow row{who ? std::string_view(who->person ? who->person->name : who->name) : "",
                                 who ? config::to_string(who->role) : "",
                                 !who              ? "nothing"
                                 : who->person     ? "oidc"
                                 : admin.is_open() ? "open"
                                                   : "token",
                                 admin.oidc.has_value()};
    JsonWriter json;
    write_fields(json, row, schema::session());
    return {200, json.take() + '\n'};
}

/// What anyone may see; false: it is none of that.
Task<bool> Admin::handle_open(http::Exchange& exchange, std::string_view path) {
    const http::Field plain{"content-type", "text/plain; charset=utf-8"};
    const std::span<const http::Field> fields(&plain, 1);
    if (path == "/healthz") {
        (void)co_await exchange.respond(200, fields, "ok\n");
        co_return true;
    }
    if (path == "/readyz") {
        const bool ready = !draining_ && gateway_.ready();
        std::string words = ready ? "ready\n" : draining_ ? "draining\n" : "no backend is usable\n";
        append_lacks(words, gateway_.snapshot()->config, gateway_.lacking_credentials());
        (void)co_await exchange.respond(ready ? 200U : 503U, fields, words);
        co_return true;
    }
    const std::string_view method = exchange.request().method;
    const http::Asset* asset =
        method == "GET" || method == "HEAD" ? http::find_asset(page_.assets, path) : nullptr;
    if (asset == nullptr) co_return false;
    if (!http::accepts_gzip(exchange.request())) {
        (void)co_await exchange.respond(406, fields, "the page is sent compressed: accept gzip\n");
        co_return true;
    }
    const auto page_fields = http::asset_fields(*asset);
    (void)co_await exchange.respond(200, page_fields, asset->gzip);
    co_return true;
}

Task<void> Admin::handle(http::Exchange& exchange) {
    const std::string_view target = exchange.request().target;
    const std::string_view path = target.substr(0, target.find('?'));
    const bool login = co_await login_.handle(exchange, path);
    if (login) co_return;
    const bool open = co_await handle_open(exchange, path);
    if (open) co_return;
    const std::string_view method = exchange.request().method;
    const bool reads = method == "GET" || method == "HEAD";
    Reply reply;
    const std::optional<Who> caller = who(exchange);
    if (reads && path == "/api/session") {
        reply = foreign(exchange);
        if (reply.status == 200) reply = session(caller);
    } else if (!caller) {
        reply.status = 401;
        reply.body = api::error_json("The admin token is missing or wrong.", "authentication_error", "401");
    } else {
        reply = foreign(exchange);
        if (reply.status == 200 && caller->person && !reads) reply = forged(exchange);
        if (reply.status == 200) {
            if (reads && path == "/metrics") {
                const std::string metrics = gateway_.registry().render();
                const http::Field type{"content-type", telemetry::kMetricsContentType};
                (void)co_await exchange.respond(200, {&type, 1}, metrics);
                co_return;
            }
            if (method == "GET" && path == "/api/events") {
                co_await events(exchange);
                co_return;
            }
            reply = co_await api(exchange, path, *caller);
        }
    }
    const std::array<http::Field, 4> json{{{"content-type", "application/json"},
                                           {"cache-control", "no-store"},
                                           {"x-content-type-options", "nosniff"},
                                           {"www-authenticate", "Bearer"}}};
    const std::size_t count = reply.status == 401 ? json.size() : json.size() - 1;  // RFC 9110 §11.6.1
    (void)co_await exchange.respond(reply.status, std::span(json).first(count), reply.body);
}

Task<Admin::Reply> Admin::api(http::Exchange& exchange, std::string_view path, const Who& who) {
    const std::string_view method = exchange.request().method;
    Reply reply;
    reply.body = error_body("There is no such page.", "404");
    if (path == "/api/keys" || path.starts_with("/api/keys/")) {
        reply = co_await keys(exchange, who);
    } else if (method == "POST" && path.starts_with("/api/backends/")) {
        reply = co_await change(std::string(path), who);
    } else if (method == "POST" && path == "/api/reload" && reload_) {
        reply = forbidden(who, config::AdminRole::operate);
        if (reply.status != 200) co_return reply;
        const auto report = reload_();
        gateway_.audit(who.name, "reload", {}, report.failure.empty() ? "in use" : report.failure);
        reply = {report.failure.empty() ? 200U : 422U, reload_json(report)};
    } else if (method != "GET" && method != "HEAD") {
        reply.status = 405;
        reply.body = error_body("Only GET is known here.", "405");
    } else if (path == "/api/backends") {
        const auto snapshot = gateway_.snapshot();
        JsonWriter json;
        write_backends(json.open().key("backends"), snapshot->config, snapshot->router->view(mono_now()),
                       gateway_.lacking_credentials(), wall_now());
        reply = {200, json.close().take() + '\n'};
    } else if (path == "/api/clients") {
        reply = {200, clients_json(exchange.request().target)};
    } else if (path == "/api/live") {
        reply = {200, live_json() + "\n"};
    } else if (path == "/api/config") {
        reply = {200, config_json(gateway_.snapshot()->config, page_.version, who.role)};
    } else if (path == "/api/usage") {
        reply = co_await usage(std::string(exchange.request().target));
    }
    co_return reply;
}

Task<Admin::Reply> Admin::keys(http::Exchange& exchange, const Who& who) {
    constexpr std::string_view root = "/api/keys";
    const std::string method(exchange.request().method);
    const std::string target(exchange.request().target.substr(root.size()));
    const std::string name(who.name);
    const bool reads = method == "GET" || method == "HEAD";
    if (Reply no = forbidden(who, reads ? config::AdminRole::viewer : config::AdminRole::manage);
        no.status != 200)
        co_return no;
    if (exchange.body_due())
        if (const http::BodyFault fault = co_await exchange.read_body(); fault != http::BodyFault::none) {
            const http::BodyRefusal why = http::explain(fault);
            co_return Reply{why.status, error_body(why.message, why.code)};
        }
    const std::string body(exchange.body());
    if (!body.empty() && !istarts_with(exchange.request().fields.get("content-type"), "application/json"))
        co_return Reply{415, error_body("Expected JSON: content-type: application/json.", "wrong_type")};
    KeyKeeper* const keeper = gateway_.keys();
    if (keeper == nullptr)
        co_return Reply{409, error_body("The gateway has no store (store.path, store.url).", "no_store")};
    const KeyAnswer answer = co_await run_on(readers_, [&] {
        const std::size_t mark = std::min(target.find('?'), target.size());
        const std::string_view query = std::string_view(target).substr(std::min(mark + 1, target.size()));
        return call_keys(*keeper, method, std::string_view(target).substr(0, mark), query, body, wall_now());
    });
    if (!answer.what.empty()) gateway_.audit(name, answer.what, answer.before, answer.after);
    co_return Reply{answer.status, answer.body};
}

Task<Admin::Reply> Admin::change(std::string asked, const Who& who) {
    if (Reply no = forbidden(who, config::AdminRole::operate); no.status != 200) co_return no;
    const std::string_view path = std::string_view(asked).substr(std::string_view("/api/backends/").size());
    const std::size_t slash = std::min(path.find('/'), path.size());
    std::string name;
    const bool readable = api::decode_segment(path.substr(0, slash), name);
    const std::string_view verb = path.substr(std::min(slash + 1, path.size()));
    routing::Mode mode = routing::Mode::on;
    if (verb == "drain")
        mode = routing::Mode::draining;
    else if (verb == "disable")
        mode = routing::Mode::off;
    else if (verb != "enable")
        co_return Reply{404, error_body("A backend can be told to drain, disable or enable.", "404")};
    const store::ModeRow row{name, std::string(routing::to_string(mode)), who.name, wall_now()};
    const auto before = readable ? gateway_.set_mode(row) : std::nullopt;
    if (!before) co_return Reply{404, error_body("There is no such backend.", "no_such_backend")};
    gateway_.audit(who.name, "backend " + name, routing::to_string(*before), row.mode);
    const std::string not_kept = co_await run_on(changes_, [&] { return gateway_.keep_mode(row); });
    JsonWriter json;
    write_fields<schema::ModeChangeRow>(json, {row.mode, not_kept}, schema::mode_change());
    co_return Reply{200, json.take() + '\n'};
}

}  // namespace spillway::gateway
