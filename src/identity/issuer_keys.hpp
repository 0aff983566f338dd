#pragma once
/// The keys of an OpenID Connect issuer: discovered from its name (OpenID Connect Discovery 1.0 §4), fetched
/// and kept up to date in the background.
///
/// A token that names an unknown key causes another fetch, at most once a second; while the issuer cannot be
/// reached, the present keys stay in use. Ownership: shared by the snapshots that use the issuer
/// (identity/keepers.hpp). Thread rule: all from any thread; verify() takes no lock that a fetch holds.
/// Errors: verify() says why a token is refused, without any part of it; lack() why there are no keys.
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/rng.hpp"
#include "config/token_policy.hpp"
#include "identity/attendant.hpp"
#include "identity/jose.hpp"
#include "identity/key_schedule.hpp"
#include "identity/token_claims.hpp"

namespace spillway::identity {

/// `issuer`'s metadata: its own address, else issuer + /.well-known/openid-configuration.
[[nodiscard]] std::string discovery_url(const config::IssuerConfig& issuer);
/// The address `member` (`jwks_uri`, …) in the metadata, which must name `issuer` itself (OpenID Connect
/// Discovery 1.0 §4.3).
[[nodiscard]] Result<std::string> endpoint_in(std::string_view metadata, const config::IssuerConfig& issuer,
                                              std::string_view member);

class IssuerKeys {
public:
    /// Reports the start and end of an outage to an operator. Called from the fetching thread.
    using Report = std::function<void(bool good, const std::string& message)>;

    IssuerKeys(config::IssuerConfig config, Report report, std::uint64_t seed);

    /// `policy` may be newer than the one the keys were first fetched for.
    [[nodiscard]] Result<TokenClaims> verify(const ParsedToken& token, const config::TokenPolicy& policy,
                                             Wall now);
    /// As verify(); if the token names an unknown key, waits for the fetch that may bring it, at most `most`.
    /// For a thread that may block.
    [[nodiscard]] Result<TokenClaims> verify_patiently(const ParsedToken& token,
                                                       const config::TokenPolicy& policy, Wall now,
                                                       Duration most, const std::stop_token& stop);
    /// Why there are no keys; empty if there are.
    [[nodiscard]] std::string lack() const;
    [[nodiscard]] const config::IssuerConfig& config() const noexcept { return config_; }

private:
    /// Whether a fetch could not help: there is a key of the token's name.
    [[nodiscard]] bool knows(const ParsedToken& token) const;
    Duration turn(const std::stop_token& stop);
    [[nodiscard]] Result<KeySet> fetch(const std::stop_token& stop);
    [[nodiscard]] Result<std::string> get(const std::string& url, const std::stop_token& stop) const;

    const config::IssuerConfig config_;
    Report report_;
    std::atomic<std::shared_ptr<const KeySet>> keys_;
    std::atomic<bool> wanted_{false};

    // Used by the attendant's thread only.
    KeySchedule schedule_;
    Rng rng_;
    std::string jwks_url_;  ///< as discovered; empty: to be discovered

    mutable std::mutex mutex_;
    std::string failure_;  ///< of the last fetch
    std::condition_variable_any fetched_;

    Attendant attendant_;  ///< last: its thread uses the others
};

}  // namespace spillway::identity
