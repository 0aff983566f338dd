#pragma once
/// Who is limited: a client (named by key, claim or header), one of its users, a team. Each has the same
/// kinds of limits and its own state; a request has up to three subjects, and all must admit it.
///
/// Ownership: ClientQuotas owns its Subjects; they live across reloads, and at least as long as a SubjectRef
/// holds them. Thread rule: everything from any thread; limits are atomics, set anew by a reload.
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "quota/client_limit.hpp"

namespace spillway::quota {

enum class SubjectKind : std::uint8_t { client, user, team };
[[nodiscard]] std::string_view to_string(SubjectKind kind) noexcept;

/// A client's class when all clients together ask for more than there is: its weight in the sharing.
enum class Priority : std::uint8_t { low, normal, high };
[[nodiscard]] constexpr std::uint8_t weight(Priority p) noexcept {
    return p == Priority::low ? 1 : p == Priority::normal ? 2 : 4;
}

/// 0 means no limit.
struct SubjectLimits {
    std::int64_t tokens_per_minute = 0;  ///< weighted tokens
    std::int64_t requests_per_minute = 0;
    std::int64_t concurrency = 0;                        ///< requests in flight
    std::array<std::int64_t, kPeriods.size()> tokens{};  ///< weighted tokens per hour, day, week, month
    std::array<std::int64_t, kPeriods.size()> budget{};  ///< money units per hour, day, week, month
    bool shadow = false;  ///< count and say what would be refused, refuse nothing
    Priority priority = Priority::normal;
    friend bool operator==(const SubjectLimits&, const SubjectLimits&) = default;
};

enum class Reason : std::uint8_t {
    concurrency,
    requests,     ///< RPM
    tokens,       ///< TPM
    too_large,    ///< asks for more tokens than the limit is: never admitted
    token_quota,  ///< the period's tokens are used up
    budget,       ///< the period's money is used up
    busy_quota,   ///< what is left of a period is reserved by requests in flight
    fair_share,   ///< others need the capacity
    users_full,   ///< no place for one more user at this time
};
[[nodiscard]] std::string_view to_string(Reason reason) noexcept;

class Subject;

/// Why a request is not admitted.
struct Refusal {
    const Subject* subject = nullptr;
    Reason reason = Reason::requests;
    Duration retry_in{};
    Period period = Period::month;  ///< token_quota, budget, busy_quota
    std::int64_t limit = 0;
    std::int64_t wanted = 0;
    std::int64_t used = 0;
    bool lease_short = false;  ///< a moment's wait for the next lease may do

    /// 403 for what a retry within the period cannot change, else 429.
    [[nodiscard]] unsigned status() const noexcept {
        return reason == Reason::token_quota || reason == Reason::budget ? 403 : 429;
    }
};

/// What a request needs, or used.
struct Amounts {
    std::int64_t tokens = 0;  ///< weighted
    std::int64_t cost = 0;    ///< money units
};

class alignas(64) Subject {
public:
    /// `owner`: the client whose user it is, if it was named by that client's requests alone; else empty.
    Subject(SubjectKind kind, std::string_view owner, std::string_view name);
    ~Subject();
    Subject(const Subject&) = delete;
    Subject& operator=(const Subject&) = delete;

    [[nodiscard]] SubjectKind kind() const noexcept { return kind_; }
    [[nodiscard]] std::string_view name() const noexcept {
        return owner_length_ == 0 ? std::string_view(key_) : std::string_view(key_).substr(owner_length_ + 1);
    }
    [[nodiscard]] std::string_view owner() const noexcept {
        return std::string_view(key_).substr(0, owner_length_);
    }
    /// Name and owner in one, unique within its kind.
    [[nodiscard]] const std::string& key() const noexcept { return key_; }
    [[nodiscard]] static std::string key_of(std::string_view owner, std::string_view name);
    void set_limits(const SubjectLimits& limits) noexcept;
    [[nodiscard]] bool shadow() const noexcept { return shadow_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::int64_t share_weight() const noexcept {
        return weight_.load(std::memory_order_relaxed);
    }

    /// Takes all that the request needs, or nothing and says why. In shadow mode always takes.
    [[nodiscard]] bool reserve(const Amounts& amounts, Now now, Refusal& refusal) noexcept;
    /// As if the request had never come.
    void undo(const Amounts& amounts, Now then) noexcept;
    /// The request is over, but not what it asked for: nothing is in flight any more.
    void leave_flight(Now then) noexcept { in_flight_.undo(1, then); }
    /// The request is over: what it really used replaces what was reserved at `then`.
    void settle(const Amounts& reserved, const Amounts& used, Now then, Now now, bool in_flight) noexcept;
    /// Nothing is in flight or reserved.
    [[nodiscard]] bool quiet(Now now) noexcept;
    /// Nothing that a limit looks at is counted any more: a new one would do as well.
    [[nodiscard]] bool idle(Now now) noexcept;
    /// What the ledger says was used in the period of `now` before this process began.
    void restore(Period period, const Amounts& used, Now now) noexcept;

    [[nodiscard]] Limit<MinuteUsage>& tokens() noexcept { return tokens_; }
    [[nodiscard]] Limit<LazyMinuteUsage>& requests() noexcept { return requests_; }
    [[nodiscard]] Limit<MomentUsage>& in_flight() noexcept { return in_flight_; }
    [[nodiscard]] Limit<PeriodUsage>& period_tokens(Period p) noexcept {
        return periods().tokens[static_cast<std::size_t>(p)];
    }
    [[nodiscard]] Limit<PeriodUsage>& period_cost(Period p) noexcept {
        return periods().cost[static_cast<std::size_t>(p)];
    }
    /// Whether any period has a limit.
    [[nodiscard]] bool has_period_limits() const noexcept {
        return (token_limits_.load(std::memory_order_relaxed) |
                cost_limits_.load(std::memory_order_relaxed)) != 0;
    }
    /// Each limit that is set, with a name that is unique within the subject.
    void each_limit(const std::function<void(std::string_view, Shareable&)>& visit);
    /// Completion tokens to expect of a request that sets no maximum: the most seen lately. Quarter of the
    /// minute's limit at most, so that the guess alone refuses nobody.
    [[nodiscard]] std::uint64_t typical_output() const noexcept;
    void learn_output(std::uint64_t tokens) noexcept;
    /// Cost settled since the start, in money units.
    [[nodiscard]] std::int64_t spent() const noexcept { return spent_.load(std::memory_order_relaxed); }
    /// Would have been refused in shadow mode, since the start.
    [[nodiscard]] std::uint64_t shadow_refusals() const noexcept {
        return shadow_refusals_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t refusals() const noexcept {
        return refusals_.load(std::memory_order_relaxed);
    }
    void count_refusal() noexcept { refusals_.fetch_add(1, std::memory_order_relaxed); }
    void count_shadow_refusal() noexcept { shadow_refusals_.fetch_add(1, std::memory_order_relaxed); }

private:
    friend class SubjectRef;
    friend class ClientQuotas;
    static constexpr std::int64_t kFirstGuess = 128;
    using PeriodSums = std::array<PeriodUsage::Sum, kPeriods.size()>;
    using PeriodLimits = std::array<Limit<PeriodUsage>, kPeriods.size()>;
    /// The limits of periods, made when the first is set or looked at.
    struct AllPeriods {
        AllPeriods(PeriodSums& token_sums, PeriodSums& cost_sums);
        PeriodLimits tokens;
        PeriodLimits cost;
    };
    class Periods;
    [[nodiscard]] static PeriodLimits limits_of(PeriodSums& sums);
    [[nodiscard]] AllPeriods& periods() noexcept;
    [[nodiscard]] Periods token_periods() noexcept;
    [[nodiscard]] Periods cost_periods() noexcept;
    bool try_reserve(const Amounts& amounts, Now now, Refusal& refusal) noexcept;
    bool reserve_periods(Periods periods, std::int64_t n, Reason gone, Now now, Refusal& refusal) noexcept;
    void force(const Amounts& amounts, Now now) noexcept;

    // What every request reads or writes comes first and in as few cache lines as it can.
    const SubjectKind kind_;
    std::atomic<bool> shadow_{false};
    std::atomic<std::uint8_t> weight_{weight(Priority::normal)};
    /// By period, whether there is a limit.
    std::atomic<std::uint8_t> token_limits_{0};
    std::atomic<std::uint8_t> cost_limits_{0};
    bool leaving_ = false;  ///< ClientQuotas': to be forgotten once nobody holds it
    const std::uint16_t owner_length_;
    std::atomic<std::uint32_t> holders_{0};
    std::uint32_t configured_ = 0;  ///< ClientQuotas': the configuration that named it last
    /// Reserved and not settled: tells a quota that is gone from one that is only spoken for.
    std::atomic<std::int64_t> open_tokens_{0};
    std::atomic<std::int64_t> open_cost_{0};
    Limit<MomentUsage> in_flight_;
    PeriodSums token_sums_{};
    PeriodSums cost_sums_{};
    const std::string key_;
    std::atomic<std::int64_t> typical_output_{kFirstGuess};
    std::atomic<std::int64_t> spent_{0};
    Limit<MinuteUsage> tokens_;
    Limit<LazyMinuteUsage> requests_;
    // What few requests need.
    std::atomic<AllPeriods*> periods_{nullptr};
    std::atomic<std::uint64_t> refusals_{0};
    std::atomic<std::uint64_t> shadow_refusals_{0};
};

/// Holds a subject, so that it is not forgotten meanwhile; null if there is none.
class SubjectRef {
public:
    SubjectRef() = default;
    SubjectRef(Subject* subject) noexcept : subject_(subject) {  // NOLINT: stands for the pointer
        if (subject_ != nullptr) subject_->holders_.fetch_add(1, std::memory_order_relaxed);
    }
    SubjectRef(const SubjectRef& other) noexcept : SubjectRef(other.subject_) {}
    SubjectRef(SubjectRef&& other) noexcept : subject_(std::exchange(other.subject_, nullptr)) {}
    SubjectRef& operator=(SubjectRef other) noexcept {
        std::swap(subject_, other.subject_);
        return *this;
    }
    ~SubjectRef() {
        if (subject_ != nullptr) subject_->holders_.fetch_sub(1, std::memory_order_release);
    }
    operator Subject*() const noexcept { return subject_; }  // NOLINT: stands for the pointer
    Subject* operator->() const noexcept { return subject_; }

private:
    Subject* subject_ = nullptr;
};

}  // namespace spillway::quota
