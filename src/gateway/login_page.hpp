#pragma once
/// What a browser is sent in a log-in besides the dashboard: cookies, redirections, and the page that says
/// why it failed.
///
/// Thread rule: free functions, safe everywhere. Errors: none.
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "config/admin_oidc.hpp"
#include "http/message.hpp"
#include "identity/login_flow.hpp"

namespace spillway::gateway {

/// `what` with the prefix that protects it where there is https.
[[nodiscard]] std::string cookie_name(const config::AdminOidcConfig& oidc, std::string_view what);
/// The value of Set-Cookie; without a value it is removed.
[[nodiscard]] std::string set_cookie(const config::AdminOidcConfig& oidc, std::string_view what,
                                     std::string_view value, Duration life);
/// A cookie that the browser sent (RFC 6265 §4.2); empty: none.
[[nodiscard]] std::string_view cookie_of(const http::Fields& fields, std::string_view name) noexcept;

/// A parameter of the target's query, decoded; nullopt: it is not there.
[[nodiscard]] std::optional<std::string> query_value(std::string_view target, std::string_view name);
[[nodiscard]] identity::LoginAnswer login_answer(std::string_view target);

/// HTML; `why` is escaped.
[[nodiscard]] std::string login_page(const config::AdminOidcConfig& oidc, std::string_view why);
/// The fields of it, and of redirections: nothing is kept, nothing is run, nobody is told whence one comes.
[[nodiscard]] std::array<http::Field, 5> login_fields() noexcept;

}  // namespace spillway::gateway
