#pragma once
/// One log-in of a person by the authorization code flow (OpenID Connect Core 1.0 §3.1) with PKCE (RFC 7636):
/// what is remembered from the redirection to the provider until its answer, and the messages of both.
///
/// Pure; who sends them is in identity/login_exchange.hpp. The flow is kept by the browser, sealed
/// (identity/sealed_text.hpp), for kFlowLife. Ownership, thread rule: plain values. Errors: what is wrong
/// with an answer, with the provider's own words, never with a code, a token or a secret.
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "config/admin_oidc.hpp"
#include "identity/azure_token.hpp"
#include "identity/token_claims.hpp"

namespace spillway::identity {

/// Where a provider's log-in is, as its metadata says.
struct Provider {
    std::string authorization_url;
    std::string token_url;
    bool basic = true;  ///< takes the secret as HTTP Basic (RFC 6749 §2.3.1), else in the form
};
[[nodiscard]] Result<Provider> parse_provider(std::string_view metadata, const config::IssuerConfig& issuer);

inline constexpr std::chrono::minutes kFlowLife{10};
inline constexpr std::size_t kFlowRandom = 96;

struct LoginFlow {
    std::string state;
    std::string nonce;
    std::string verifier;   ///< of PKCE
    std::string return_to;  ///< see is_return_path()
    Wall ends;
};
/// `random`: bytes that nobody can guess.
[[nodiscard]] LoginFlow begin_flow(std::string return_to, std::span<const unsigned char, kFlowRandom> random,
                                   Wall now);
[[nodiscard]] std::string write_flow(const LoginFlow& flow);
/// nullopt: it is none, or over.
[[nodiscard]] std::optional<LoginFlow> read_flow(std::string_view text, Wall now);

/// Whether it is a path of this same origin, with query and fragment: nothing that a browser would take for
/// another host (`//host`, `/\\host`), or for no address.
[[nodiscard]] bool is_return_path(std::string_view text) noexcept;

/// What the provider is told to send its answer to.
[[nodiscard]] std::string redirect_uri(const config::AdminOidcConfig& oidc);
/// Where the browser is sent.
[[nodiscard]] std::string authorization_url(const Provider& provider, const config::AdminOidcConfig& oidc,
                                            const LoginFlow& flow);

/// The provider's answer, as the browser brings it (RFC 6749 §4.1.2, RFC 9207).
struct LoginAnswer {
    std::string code;
    std::string state;
    std::string issuer;
    std::string error;
    std::string error_description;
};
/// Whether it is the answer to this flow, and a code.
[[nodiscard]] Result<void> check_answer(const LoginAnswer& answer, const LoginFlow& flow,
                                        const config::AdminOidcConfig& oidc);

/// Asks for the tokens that a code stands for.
[[nodiscard]] TokenRequest code_request(const Provider& provider, const config::AdminOidcConfig& oidc,
                                        const LoginFlow& flow, std::string_view code);
/// The ID token in the answer to it.
[[nodiscard]] Result<std::string> parse_id_token(unsigned status, std::string_view body);
/// What an ID token must be besides a valid token of the issuer for the client (§3.1.3.7): of this flow,
/// about somebody, and not given to another party.
[[nodiscard]] Result<void> check_id_token(const ParsedToken& token, const config::AdminOidcConfig& oidc,
                                          const LoginFlow& flow);

}  // namespace spillway::identity
