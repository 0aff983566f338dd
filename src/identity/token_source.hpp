#pragma once
/// Fetches an access token for an identity of the configuration, from any kind of source.
///
/// Of several sources (config::AuthKind::entra) the first that provides a token is used from then on, as by
/// the chained credentials of Azure's SDKs. If another source follows, a virtual machine's metadata service
/// has one second to accept the connection, since outside Azure nothing answers at its address. Thread rule:
/// one thread, which it blocks (that of identity/attendant.hpp). Errors: why no source provides a token,
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
    std::size_t first_ = 0;  ///< index into auth_.sources
    bool settled_ = false;   ///< first_ has provided a token
};

/// The request to one source of `auth`, except azure_cli; reads the files it needs.
[[nodiscard]] Result<TokenRequest> token_request(config::AuthKind kind, const config::BackendAuth& auth,
                                                 Wall now);

}  // namespace spillway::identity
