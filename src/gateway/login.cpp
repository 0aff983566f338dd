#include "gateway/login.hpp"

#include <fmt/format.h>

#include <vector>

#include "api/error.hpp"
#include "config/describe.hpp"
#include "gateway/login_page.hpp"
#include "http/same_origin.hpp"
#include "identity/random_bytes.hpp"

namespace spillway::gateway {
namespace {

constexpr std::string_view kFlow = "login";
constexpr std::string_view kSession = "session";
constexpr std::chrono::minutes kKnownFor{1};
constexpr std::chrono::seconds kFailedFor{1};
/// Browsers keep cookies of up to 4096 bytes (RFC 6265 §6.1).
constexpr std::size_t kMostCookie = 3900;

class Waiting {
public:
    explicit Waiting(unsigned& count) : count_(count) { ++count_; }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { --count_; }

private:
    unsigned& count_;
};

Task<void> send(http::Exchange& exchange, unsigned status, const std::vector<http::Field>& more,
                std::string body) {
    const auto own = login_fields();
    std::vector<http::Field> fields(own.begin(), own.end());
    fields.insert(fields.end(), more.begin(), more.end());
    (void)co_await exchange.respond(status, fields, body);
}

Task<void> say(http::Exchange& exchange, unsigned status, const config::AdminOidcConfig& oidc,
               std::string why) {
    co_await send(exchange, status, {}, login_page(oidc, why));
}

}  // namespace

Login::Login(Gateway& gateway) : gateway_(gateway), secret_(identity::random_bytes<32>()) {}

identity::Sealer Login::sealer(const config::AdminOidcConfig& oidc, std::string_view what) const {
    // Of another provider or client it is another's word.
    const std::string purpose =
        fmt::format("spillway admin {}\n{}\n{}", what, oidc.provider.issuer, oidc.client_id);
    const std::string_view own(reinterpret_cast<const char*>(secret_.data()), secret_.size());
    return {oidc.session_key.empty() ? own : oidc.session_key.reveal(), purpose};
}

std::optional<Login::Visitor> Login::visitor(const http::RequestHead& request,
                                             const config::AdminConfig& admin, Wall now) const {
    if (!admin.oidc) return std::nullopt;
    const std::string_view cookie = cookie_of(request.fields, cookie_name(*admin.oidc, kSession));
    if (cookie.empty()) return std::nullopt;
    const auto text = sealer(*admin.oidc, kSession).open(cookie);
    auto person = text ? identity::read_session(*text, admin.oidc->session, now) : std::nullopt;
    if (!person) return std::nullopt;
    const auto role = identity::role_of(admin.oidc->roles, person->held);
    if (!role) return std::nullopt;
    return Visitor{std::move(*person), *role};
}

Task<bool> Login::handle(http::Exchange& exchange, std::string_view path) {
    if (path != "/login" && path != "/login/callback" && path != "/logout") co_return false;
    const auto snapshot = gateway_.snapshot();  // whose settings are used until the end
    const config::AdminConfig& admin = snapshot->config.admin;
    if (!admin.oidc) co_return false;
    const std::string_view wanted = path == "/logout" ? "POST" : "GET";
    if (exchange.request().method != wanted) {
        const http::Field allow{"allow", wanted};
        (void)co_await exchange.respond(405, {&allow, 1}, "");
        co_return true;
    }
    if (path == "/login")
        co_await begin(exchange, *admin.oidc);
    else if (path == "/logout")
        co_await end(exchange, admin);
    else
        co_await finish(exchange, *admin.oidc, snapshot->login_keys);
    co_return true;
}

Task<Result<identity::Provider>> Login::provider(const config::AdminOidcConfig& oidc) {
    if (known_ && known_->issuer == oidc.provider && mono_now() < known_->until) co_return known_->provider;
    auto found = co_await run_on(
        threads_, [&oidc, stop = stop_.get_token()] { return identity::ask_provider(oidc.provider, stop); });
    const Duration life = found ? Duration(kKnownFor) : Duration(kFailedFor);
    known_.emplace(Known{oidc.provider, found, mono_now() + life});
    co_return std::move(found);
}

Task<void> Login::begin(http::Exchange& exchange, const config::AdminOidcConfig& oidc) {
    std::string back = query_value(exchange.request().target, "return").value_or("/");
    if (!identity::is_return_path(back)) {
        co_await say(exchange, 400, oidc, "The address to return to is none of this server.");
        co_return;
    }
    if (waiting_ >= kMostWaiting) {
        co_await say(exchange, 503, oidc, "Too many log-ins wait for the provider.");
        co_return;
    }
    const Waiting waiting(waiting_);
    const auto where = co_await provider(oidc);
    if (!where) {
        co_await say(
            exchange, 502, oidc,
            "The provider cannot be asked now: " + where.error().message + ". Admin tokens go on to work.");
        co_return;
    }
    const Wall now = wall_now();
    const auto random = identity::random_bytes<identity::kFlowRandom>();
    const auto flow = identity::begin_flow(std::move(back), random, now);
    const std::string cookie =
        set_cookie(oidc, kFlow, sealer(oidc, kFlow).seal(identity::write_flow(flow)), identity::kFlowLife);
    const std::string location = identity::authorization_url(*where, oidc, flow);
    const std::vector<http::Field> fields{{"location", location}, {"set-cookie", cookie}};
    co_await send(exchange, 303, fields, {});
}

Task<void> Login::finish(http::Exchange& exchange, const config::AdminOidcConfig& oidc,
                         std::shared_ptr<identity::IssuerKeys> keys) {
    const http::RequestHead& request = exchange.request();
    const identity::LoginAnswer answer = login_answer(request.target);
    const auto text = sealer(oidc, kFlow).open(cookie_of(request.fields, cookie_name(oidc, kFlow)));
    const auto flow = text ? identity::read_flow(*text, wall_now()) : std::nullopt;
    if (!flow) {
        co_await say(exchange, 400, oidc,
                     fmt::format("It was not begun by this browser at {}, is over already, or took longer "
                                 "than ten minutes.",
                                 oidc.public_url));
        co_return;
    }
    if (const auto good = identity::check_answer(answer, *flow, oidc); !good) {
        co_await say(exchange, 400, oidc, good.error().message);
        co_return;
    }
    // From here on it has been used, whatever comes of it.
    const std::string over = set_cookie(oidc, kFlow, {}, {});
    std::vector<http::Field> fields{{"set-cookie", over}};
    Result<identity::LoggedIn> found = fail("Too many log-ins wait for the provider.");
    if (waiting_ < kMostWaiting) {
        const Waiting waiting(waiting_);
        const auto where = co_await provider(oidc);
        if (!where)
            found = fail("The provider cannot be asked now: " + where.error().message + ".");
        else
            found = co_await run_on(threads_, [&, stop = stop_.get_token()] {
                return identity::exchange_code(*where, oidc, *keys, *flow, answer.code, stop);
            });
    }
    if (!found) {
        co_await send(exchange, 403, fields, login_page(oidc, found.error().message));
        co_return;
    }
    const std::string session = set_cookie(
        oidc, kSession, sealer(oidc, kSession).seal(identity::write_session(found->person)), oidc.session);
    if (session.size() > kMostCookie) {
        co_await send(exchange, 403, fields,
                      login_page(oidc,
                                 "So many of the values that admin.oidc.roles names are the person's "
                                 "that they do not fit into a cookie. Let roles depend on fewer."));
        co_return;
    }
    gateway_.audit(identity::audit_name(found->person), "own session", {},
                   fmt::format("logged in as {}", config::to_string(found->role)));
    const std::string location = oidc.public_url + flow->return_to;
    fields.insert(fields.end(), {{"set-cookie", session}, {"location", location}});
    co_await send(exchange, 303, fields, {});
}

Task<void> Login::end(http::Exchange& exchange, const config::AdminConfig& admin) {
    const config::AdminOidcConfig& oidc = *admin.oidc;
    if (!http::is_of_origin(exchange.request(), oidc.origin())) {
        const http::Field json{"content-type", "application/json"};
        const std::string body = api::error_json("Only the dashboard's own page may ask for that.",
                                                 "invalid_request_error", "foreign_origin");
        (void)co_await exchange.respond(403, {&json, 1}, body);
        co_return;
    }
    if (const auto known = visitor(exchange.request(), admin, wall_now()))
        gateway_.audit(identity::audit_name(known->person), "own session", config::to_string(known->role),
                       "logged out");
    const std::string over = set_cookie(oidc, kSession, {}, {});
    const http::Field cookie{"set-cookie", over};
    (void)co_await exchange.respond(204, {&cookie, 1}, "");
}

}  // namespace spillway::gateway
