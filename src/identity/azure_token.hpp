#pragma once
/// Entra tokens for Azure OpenAI: the requests that ask for one, the answers, and when to ask again.
/// Pure: no sockets, no clock; whoever owns a connection fetches.
///
/// Sources, by where the gateway runs (Microsoft Learn): a VM's instance metadata service ("How to use
/// managed identities … to acquire an access token"), App Service and Container Apps (REST endpoint
/// reference, api-version 2019-08-01), AKS workload identity (OAuth 2.0 client credentials with a federated
/// JWT, RFC 7523).
/// Thread rule: plain values. Errors: parse_token_answer() returns them; no message holds a token.
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace spillway::identity {

inline constexpr std::string_view kAzureOpenAiResource = "https://cognitiveservices.azure.com";
inline constexpr std::string_view kAzureOpenAiScope = "https://cognitiveservices.azure.com/.default";
inline constexpr std::string_view kImdsHost = "http://169.254.169.254";
inline constexpr std::string_view kPublicAuthority = "https://login.microsoftonline.com";

struct TokenRequest {
    std::string method;
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// A VM's identity; `client_id` picks a user-assigned one, empty the system's (also below).
[[nodiscard]] TokenRequest imds_token_request(std::string_view client_id = {},
                                              std::string_view host = kImdsHost);
/// App Service or Container Apps: values of $IDENTITY_ENDPOINT and $IDENTITY_HEADER.
[[nodiscard]] TokenRequest app_service_token_request(std::string_view endpoint, std::string_view header,
                                                     std::string_view client_id = {});
/// Workload identity: $AZURE_AUTHORITY_HOST, $AZURE_TENANT_ID, $AZURE_CLIENT_ID and the content of
/// $AZURE_FEDERATED_TOKEN_FILE, to be read anew for each request since it is rotated.
[[nodiscard]] TokenRequest workload_token_request(std::string_view authority_host, std::string_view tenant,
                                                  std::string_view client_id, std::string_view assertion);

struct Token {
    std::string value;
    Wall expires;
    Wall refresh_at;  ///< from when on a new one should be asked for
};

/// Any of the three answers, received at `now`. IMDS spells numbers as strings, App Service gives
/// `expires_on` (Unix seconds) without `expires_in`, Entra gives `expires_in` as a number. Where there are
/// both, the earlier end counts: our clock may be off, and a cached answer's `expires_in` may be old. An
/// OAuth error answer (RFC 6749 §5.2) or a token that cannot stand in a header is an Error.
[[nodiscard]] Result<Token> parse_token_answer(std::string_view body, Wall now);

/// The token in use and the decision when to fetch the next. A fetch that fails is tried again after
/// kRetry, while the old token serves until it expires.
class TokenCache {
public:
    static constexpr std::chrono::seconds kRetry{30};
    /// A token this near its end is not sent any more.
    static constexpr std::chrono::seconds kMargin{30};

    void store(Token token) { token_ = std::move(token), retry_at_ = Wall{}; }
    void fetch_failed(Wall now) noexcept { retry_at_ = now + kRetry; }

    /// The token's text; empty when there is none that can be used.
    [[nodiscard]] std::string_view token(Wall now) const noexcept {
        return now < token_.expires - kMargin ? std::string_view(token_.value) : std::string_view{};
    }
    [[nodiscard]] bool needs_refresh(Wall now) const noexcept {
        return now >= retry_at_ && (token_.value.empty() || now >= token_.refresh_at);
    }

private:
    Token token_;
    Wall retry_at_;
};

}  // namespace spillway::identity
