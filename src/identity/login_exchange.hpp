#pragma once
/// Talks to the provider in a person's log-in (identity/login_flow.hpp): asks for its metadata, exchanges the
/// code for the ID token, and verifies that as clients' tokens are.
///
/// Thread rule: blocks, for as long as two or three requests take; for a thread that may. Errors: the true
/// cause, without a code, a token or a secret.
#include <stop_token>

#include "identity/admin_session.hpp"
#include "identity/issuer_keys.hpp"
#include "identity/login_flow.hpp"

namespace spillway::identity {

[[nodiscard]] Result<Provider> ask_provider(const config::IssuerConfig& issuer, const std::stop_token& stop);

/// A person, and the role as the configuration is now.
struct LoggedIn {
    Person person;
    config::AdminRole role = config::AdminRole::viewer;
};
[[nodiscard]] Result<LoggedIn> exchange_code(const Provider& provider, const config::AdminOidcConfig& oidc,
                                             IssuerKeys& keys, const LoginFlow& flow, std::string_view code,
                                             const std::stop_token& stop);

}  // namespace spillway::identity
