#pragma once
/// The users that one worker has seen lately, so that only a user's first request takes the quotas' lock.
///
/// Ownership: the ClientQuotas must outlive it; its references keep users alive, so it is cleared regularly.
/// Thread rule: one thread. Errors: null if there is no room for another user.
#include <string>
#include <string_view>
#include <unordered_map>

#include "quota/client_quota.hpp"

namespace spillway::quota {

class UserAccounts {
public:
    static constexpr std::size_t kMost = 10'000;
    static constexpr Duration kPatience = std::chrono::seconds(20);

    explicit UserAccounts(ClientQuotas& quotas) noexcept : quotas_(quotas) {}

    /// See ClientQuotas::user().
    [[nodiscard]] SubjectRef find(std::string_view owner, std::string_view name, const SubjectLimits& limits,
                                  Now now);

private:
    ClientQuotas& quotas_;
    std::unordered_map<std::string, SubjectRef> users_;  ///< by key()
    Mono cleared_at_{};
};

}  // namespace spillway::quota
