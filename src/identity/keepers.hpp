#pragma once
/// The process's token keepers and issuers: one for each identity and issuer in the configuration, shared by
/// any number of backends, and kept across reloads.
///
/// Ownership: shared with the snapshots that use them; the thread of each ends with its last use.
/// Thread rule: only the thread that makes snapshots. Errors: none.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.hpp"
#include "config/backend_auth.hpp"
#include "config/token_policy.hpp"
#include "identity/issuer_keys.hpp"
#include "identity/token_keeper.hpp"

namespace spillway::identity {

class Keepers {
public:
    /// Receives a line for the log, on any thread.
    using Log = std::function<void(bool good, const std::string& line)>;
    explicit Keepers(Log log = {});

    [[nodiscard]] std::shared_ptr<TokenKeeper> token(const config::BackendAuth& auth);
    [[nodiscard]] std::shared_ptr<IssuerKeys> issuer(const config::IssuerConfig& issuer);
    /// Ends what no snapshot uses any more.
    void prune();

private:
    Log log_;
    Rng rng_;
    std::vector<std::pair<config::BackendAuth, std::shared_ptr<TokenKeeper>>> tokens_;
    std::vector<std::shared_ptr<IssuerKeys>> issuers_;
};

/// An identity in a few words: "managed_identity (client 1234…)".
[[nodiscard]] std::string describe(const config::BackendAuth& auth);

}  // namespace spillway::identity
