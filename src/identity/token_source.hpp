#pragma once
/// Fetches one access token for an identity of the configuration, from wherever it comes.
///
/// Of several sources (config::AuthKind::entra) the first that gives a token is kept for good, as the chained
/// credentials of Azure's SDKs do. A virtual machine's metadata service is given one second to answer the
/// connection where another source follows: elsewhere its address leads nowhere.
/// Thread rule: one thread, which it blocks: identity/attendant.hpp's. Errors: why no source gives a token,
/// without any secret.
#include <cstddef>
#include <stop_token>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "config/backend_auth.hpp"
#include "identity/azure_token.hpp"

namespace spillway::identity {

class TokenSource {
public:
    explicit TokenSource(config::BackendAuth auth) : auth_(std::move(auth)) {}
    [[nodiscard]] Result<Token> fetch(const std::stop_token& stop);

private:
    [[nodiscard]] Result<Token> fetch_from(config::AuthKind kind, bool others, const std::stop_token& stop);

    config::BackendAuth auth_;
    std::size_t first_ = 0;  ///< of auth_.sources
    bool settled_ = false;   ///< first_ has given a token
};

/// The request for one source of `auth`, but for azure_cli; reads the files it needs.
[[nodiscard]] Result<TokenRequest> token_request(config::AuthKind kind, const config::BackendAuth& auth,
                                                 Wall now);

}  // namespace spillway::identity
