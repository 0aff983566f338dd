#pragma once
/// Entra tokens for Azure OpenAI: the requests for a token, and the parsing of answers.
/// Pure: no sockets, no clock; the caller sends the request.
///
/// The schedule is in identity/token_schedule.hpp. Sources, by where the gateway runs (Microsoft Learn): a
/// VM's instance metadata service ("How to use managed identities … to acquire an access token"), App Service
/// and Container Apps (REST endpoint reference, api-version 2019-08-01), Entra's or any OAuth 2.0 server's
/// token endpoint (client credentials with a secret or an assertion). Thread rule: plain values. Errors:
/// parse_token_answer() returns them; no message contains a token.
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace spillway::identity {

struct TokenRequest {
    std::string method;
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// A scope in the form of older endpoints: without the final `/.default`.
[[nodiscard]] std::string_view resource_of(std::string_view scope) noexcept;

/// A VM's identity, from `host`; `client_id` selects a user-assigned one, empty the system's (also below).
[[nodiscard]] TokenRequest imds_token_request(std::string_view host, std::string_view resource,
                                              std::string_view client_id);
/// App Service or Container Apps: values of $IDENTITY_ENDPOINT and $IDENTITY_HEADER.
[[nodiscard]] TokenRequest app_service_token_request(std::string_view endpoint, std::string_view header,
                                                     std::string_view resource, std::string_view client_id);
/// Entra's token endpoint for a tenant.
[[nodiscard]] std::string entra_token_url(std::string_view authority, std::string_view tenant);
/// Client credentials with a secret (RFC 6749 §4.4).
[[nodiscard]] TokenRequest secret_token_request(std::string url, std::string_view client_id,
                                                std::string_view secret, std::string_view scope);
/// Client credentials with an assertion (RFC 7523 §2.2): a federated token, or one signed by a certificate.
[[nodiscard]] TokenRequest assertion_token_request(std::string url, std::string_view client_id,
                                                   std::string_view assertion, std::string_view scope);

struct Token {
    std::string value;
    Wall expires;
    Wall refresh_at;  ///< when a new one should be requested
};

/// Parses any of the answers, also that of `az account get-access-token`, received at `now`. IMDS sends
/// numbers as strings, App Service sends `expires_on` (Unix seconds) without `expires_in`, Entra sends
/// `expires_in` as a number. If there are both, the earlier expiry counts: our clock may be wrong, and a
/// cached answer's `expires_in` may be old. An OAuth error answer (RFC 6749 §5.2), or a token that is not
/// valid in a header, is an Error.
[[nodiscard]] Result<Token> parse_token_answer(std::string_view body, Wall now);

}  // namespace spillway::identity
