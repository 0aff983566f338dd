#pragma once
/// Log-in of people to the admin plane by an OpenID Connect provider (admin.oidc): GET /login sends the
/// browser to the provider, GET /login/callback takes its answer, POST /logout ends the session here (not at
/// the provider).
///
/// The session is a cookie: sealed, HttpOnly, for `admin.oidc.session`. SameSite=Lax, since with Strict
/// browsers would not bring the flow's cookie along with the provider's redirection, which is another site's;
/// so what such a request changes must come from the own origin (http/same_origin.hpp). With https the
/// cookies are Secure and have the prefix `__Host-` (RFC 6265bis §4.1.3.2): no other host can set them.
/// Nothing of it is kept here: a session ends with its time, with the key, or with the role that it gave.
/// Ownership: the Gateway must outlive it. Thread rule: the main thread's loop; the provider is waited for on
/// a thread of its own. Errors: a plain page that says the cause.
#include <array>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/task.hpp"
#include "base/thread_pool.hpp"
#include "gateway/gateway.hpp"
#include "http/server.hpp"
#include "identity/login_exchange.hpp"
#include "identity/sealed_text.hpp"

namespace spillway::gateway {

class Login {
public:
    /// Log-ins that wait for the provider; more are refused.
    static constexpr unsigned kMostWaiting = 16;

    explicit Login(Gateway& gateway);
    Login(const Login&) = delete;
    Login& operator=(const Login&) = delete;
    ~Login() { stop_.request_stop(); }

    /// Answers a request for one of its paths; false: it is none.
    Task<bool> handle(http::Exchange& exchange, std::string_view path);

    struct Visitor {
        identity::Person person;
        config::AdminRole role = config::AdminRole::viewer;
    };
    /// Who is logged in with the request's cookie, and has a role now.
    [[nodiscard]] std::optional<Visitor> visitor(const http::RequestHead& request,
                                                 const config::AdminConfig& admin, Wall now) const;

private:
    Task<void> begin(http::Exchange& exchange, const config::AdminOidcConfig& oidc);
    Task<void> finish(http::Exchange& exchange, const config::AdminOidcConfig& oidc,
                      std::shared_ptr<identity::IssuerKeys> keys);
    Task<void> end(http::Exchange& exchange, const config::AdminConfig& admin);
    Task<Result<identity::Provider>> provider(const config::AdminOidcConfig& oidc);
    [[nodiscard]] identity::Sealer sealer(const config::AdminOidcConfig& oidc, std::string_view what) const;

    /// Providers move their endpoints rarely; and /login is for anyone, so that it must not ask each time.
    struct Known {
        config::IssuerConfig issuer;
        Result<identity::Provider> provider;
        Mono until;
    };

    Gateway& gateway_;
    const std::array<unsigned char, 32> secret_;
    std::optional<Known> known_;
    unsigned waiting_ = 0;
    std::stop_source stop_;
    ThreadPool threads_{2};  ///< last: its threads use the others
};

}  // namespace spillway::gateway
