#pragma once
/// Keeps one identity's token fresh, for the whole process: one fetch at a time whatever the load, ahead of
/// its end; while the source fails, the token at hand serves until it ends.
///
/// Ownership: shared by the snapshots that use the identity (identity/keepers.hpp). Thread rule: all from any
/// thread; reading a token takes no lock. Errors: state() says why there is no token.
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
    /// Whatever an operator should know: an outage's begin and end. Called from the keeper's thread.
    using Report = std::function<void(bool good, const std::string& message)>;

    TokenKeeper(Fetch fetch, Report report, std::uint64_t seed);

    /// As CredentialSource.
    [[nodiscard]] bool append_auth_header(std::string& out, Wall now) const;
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_.load(); }
    [[nodiscard]] bool renew(std::uint64_t refused);
    [[nodiscard]] bool renewing() const noexcept { return renewing_.load(); }
    /// Why no token can be used at `now`; empty if one can.
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
    std::string failure_;  ///< of the last fetch; empty: it went well
    config::Secret last_;  ///< the token in use, to know a new one
    bool asked_ = false;   ///< one fetch has ended

    Attendant attendant_;  ///< last: its thread uses the others
};

/// A backend's credential from a keeper.
[[nodiscard]] std::unique_ptr<CredentialSource> make_token_credential(std::shared_ptr<TokenKeeper> keeper);

}  // namespace spillway::identity
