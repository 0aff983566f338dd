#pragma once
/// Keeps one identity's token fresh for the whole process: one fetch at a time, whatever the load, before it
/// expires; while the source fails, the present token is used until it expires.
///
/// Ownership: shared by the snapshots that use the identity (identity/keepers.hpp). Thread rule: all from any
/// thread; reading a token takes no lock. Errors: lack() says why there is no token.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/rng.hpp"
#include "config/secret.hpp"
#include "identity/attendant.hpp"
#include "identity/published_text.hpp"
#include "identity/token_schedule.hpp"
#include "identity/upstream_auth.hpp"

namespace spillway::identity {

class TokenKeeper {
public:
    using Fetch = std::function<Result<Token>(const std::stop_token&)>;
    /// Reports the start and end of an outage to an operator. Called from the keeper's thread.
    using Report = std::function<void(bool good, const std::string& message)>;

    TokenKeeper(Fetch fetch, Report report, std::uint64_t seed);

    /// As in CredentialSource.
    [[nodiscard]] bool append_auth_header(std::string& out, Wall now) const;
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_.load(); }
    [[nodiscard]] bool renew(std::uint64_t refused);
    [[nodiscard]] bool renewing() const noexcept { return renewing_.load(); }
    /// Why there is no usable token at `now`; empty if there is.
    [[nodiscard]] std::string lack(Wall now) const;

private:
    Duration turn(const std::stop_token& stop);
    void accept(const Token& token, Wall now);

    Fetch fetch_;
    Report report_;
    PublishedText line_;
    std::atomic<std::int64_t> usable_until_{0};  ///< of Wall's epoch, ns
    std::atomic<std::uint64_t> generation_{0};   ///< tokens so far
    std::atomic<bool> renewing_{false};

    mutable std::mutex mutex_;  ///< for what follows
    TokenSchedule schedule_;
    Rng rng_;
    std::string failure_;  ///< of the last fetch; empty: it succeeded
    config::Secret last_;  ///< the present token, to recognize a new one
    bool asked_ = false;   ///< a fetch has ended

    Attendant attendant_;  ///< last: its thread uses the others
};

/// A credential for backends, from a keeper.
[[nodiscard]] std::unique_ptr<CredentialSource> make_token_credential(std::shared_ptr<TokenKeeper> keeper);

}  // namespace spillway::identity
