#pragma once
/// What clients used, told to a successor: a gateway that hands over to another process goes on for as long
/// as its streams do, and the two hold one limit. The first changes() are all that counts still; later ones
/// what has come, or was given back, since.
///
/// Sums that count for a minute, for a calendar period, and at this moment. Seconds are of the monotonic
/// clock, which processes of one machine share.
///
/// Ownership: the ClientQuotas must outlive both classes. Thread rule: each on one thread, concurrently with
/// admission. Errors: none; changes of subjects that are not known are ignored.
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "quota/client_quota.hpp"

namespace spillway::quota {

struct UsageChange {
    using Periods = std::array<std::int64_t, kPeriods.size()>;
    SubjectKind kind = SubjectKind::client;
    std::string owner;  ///< of a user
    std::string name;
    bool first = false;  ///< sums of periods are whole; the ledger may have restored them already
    std::int64_t in_flight = 0;
    std::vector<MinuteUsage::Second> tokens;
    std::vector<MinuteUsage::Second> requests;
    Periods period_tokens{};
    Periods period_cost{};
    [[nodiscard]] bool empty() const noexcept;
};

class UsageTeller {
public:
    explicit UsageTeller(const ClientQuotas& quotas) noexcept : quotas_(&quotas) {}
    /// Clients, teams and keys before users.
    [[nodiscard]] std::vector<UsageChange> changes(Now now);

private:
    using Seconds = std::map<std::int64_t, std::int64_t>;
    struct Told {
        std::int64_t in_flight = 0;
        Seconds tokens, requests;
        UsageChange::Periods period{};  ///< which ones they are
        UsageChange::Periods period_tokens{}, period_cost{};
        void begin_periods(Now now) noexcept;
    };
    [[nodiscard]] static std::vector<MinuteUsage::Second> difference(
        Seconds& told, const std::vector<MinuteUsage::Second>& seen, Now at);

    const ClientQuotas* quotas_;
    std::unordered_map<std::string, Told> told_;  ///< by kind and key
};

class UsageListener {
public:
    explicit UsageListener(ClientQuotas& quotas) noexcept : quotas_(quotas) {}
    /// `users`: the limits of a user that is not known yet.
    void apply(const UsageChange& change, const SubjectLimits& users, Now now);
    /// The other process has ended: nothing is in flight there.
    void end(Now now) noexcept;

private:
    ClientQuotas& quotas_;
    std::unordered_map<Subject*, std::pair<SubjectRef, std::int64_t>> in_flight_;
};

}  // namespace spillway::quota
