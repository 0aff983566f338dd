#pragma once
/// Whoever has limits: a client (identified by key, claim or header), one of its users, or a team. Each has
/// the same kinds of limits and its own state; a request has up to three subjects, all of which must admit
/// it.
///
/// Ownership: ClientQuotas owns its Subjects; they survive reloads, and live at least as long as a SubjectRef
/// to them. Thread rule: everything from any thread; limits are atomics, which a reload sets. Errors: none.
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/cache_line.hpp"
#include "quota/client_limit.hpp"

namespace spillway::quota {

/// A key that was made at run time may have limits of its own, beside its client's.
enum class SubjectKind : std::uint8_t { client, user, team, key };
[[nodiscard]] std::string_view to_string(SubjectKind kind) noexcept;

/// A client's class while demand exceeds capacity: decides its weight in fair sharing.
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
    bool shadow = false;  ///< count, report what would be refused, but refuse nothing
    Priority priority = Priority::normal;
    friend bool operator==(const SubjectLimits&, const SubjectLimits&) = default;
};

enum class Reason : std::uint8_t {
    concurrency,
    requests,     ///< RPM
    tokens,       ///< TPM
    too_large,    ///< needs more tokens than the limit: never admitted
    token_quota,  ///< the period's tokens are spent
    budget,       ///< the period's money is spent
    busy_quota,   ///< requests in flight have reserved what is left of a period
    fair_share,   ///< others need the capacity
    users_full,   ///< no room for one more user at present
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
    bool lease_short = false;  ///< waiting a moment for the next lease may help

    /// 403 if no retry within the period can succeed, otherwise 429.
    [[nodiscard]] unsigned status() const noexcept {
        return reason == Reason::token_quota || reason == Reason::budget ? 403 : 429;
    }
};

/// What a request needs, or has used.
struct Amounts {
    std::int64_t tokens = 0;  ///< weighted
    std::int64_t cost = 0;    ///< money units
};

/// Which periods had a limit when a request was admitted, a bit for each: only those hold what it reserved,
/// from its beginning. The sums of the others count what was used, at its end and in the period of its end.
struct LimitedPeriods {
    std::uint8_t tokens = 0;
    std::uint8_t cost = 0;
};

/// A request's end, for each of its subjects.
struct Settlement {
    Amounts reserved;
    Amounts used;
    Now then;  ///< when it was reserved
    Now now;
    PeriodIndices periods{};  ///< of `now`
    bool in_flight = false;
};

class alignas(kCacheLine) Subject {
public:
    /// `owner`: a user's client, if only that client's requests name it; otherwise empty.
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
    /// Owner and name together, unique within the kind.
    [[nodiscard]] const std::string& key() const noexcept { return key_; }
    [[nodiscard]] static std::string key_of(std::string_view owner, std::string_view name);
    /// One thread at a time.
    void set_limits(const SubjectLimits& limits);
    [[nodiscard]] bool shadow() const noexcept { return shadow_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::int64_t share_weight() const noexcept {
        return weight_.load(std::memory_order_relaxed);
    }

    /// Reserves all that the request needs, or nothing, with the reason. Always succeeds in shadow mode.
    [[nodiscard]] std::optional<LimitedPeriods> reserve(const Amounts& amounts, Now now,
                                                        Refusal& refusal) noexcept;
    /// As if the request had never been made.
    void undo(const Amounts& amounts, LimitedPeriods limited, Now then) noexcept;
    /// The request is over, but not the work it started: it no longer counts as in flight.
    void leave_flight(Now then) noexcept { in_flight_.undo(1, then); }
    /// The request is over: what it used replaces what was reserved.
    void settle(const Settlement& end, LimitedPeriods limited) noexcept;
    /// Whether nothing is in flight or reserved of a period.
    [[nodiscard]] bool quiet(Now now) noexcept;
    /// Whether no usage counts any more, so that a new subject would be the same.
    [[nodiscard]] bool idle(Now now) noexcept;
    /// Restores from the ledger what was used in the period of `now` before this process started.
    void restore(Period period, const Amounts& used, Now now) noexcept;

    [[nodiscard]] Limit<MinuteUsage>& tokens() noexcept { return tokens_; }
    [[nodiscard]] Limit<MinuteUsage>& requests() noexcept { return requests_; }
    [[nodiscard]] Limit<MomentUsage>& in_flight() noexcept { return in_flight_; }
    /// Of a period; null: no limit was ever set.
    [[nodiscard]] Limit<PeriodUsage>* token_limit(Period p) const noexcept { return find({p, false}); }
    [[nodiscard]] Limit<PeriodUsage>* cost_limit(Period p) const noexcept { return find({p, true}); }
    /// Whether any period has a limit.
    [[nodiscard]] bool has_period_limits() const noexcept {
        return (token_limits_.load(std::memory_order_relaxed) |
                cost_limits_.load(std::memory_order_relaxed)) != 0;
    }
    /// What was used in the period, with a limit or without.
    [[nodiscard]] PeriodUsage tokens_in(Period p) noexcept { return {p, token_sums_[place(p)]}; }
    [[nodiscard]] PeriodUsage cost_in(Period p) noexcept { return {p, cost_sums_[place(p)]}; }
    /// Visits each limit that is set, with a name that is unique within the subject.
    void each_limit(const std::function<void(std::string_view, Shareable&)>& visit);
    /// Completion tokens to expect of a request that sets no maximum: the most seen lately. At most a quarter
    /// of the minute's limit, so that the estimate alone refuses nothing.
    [[nodiscard]] std::uint64_t typical_output() const noexcept;
    void learn_output(std::uint64_t tokens) noexcept;
    /// Cost settled since the process started, in money units.
    [[nodiscard]] std::int64_t spent() const noexcept { return spent_.load(std::memory_order_relaxed); }
    /// Requests that shadow mode would have refused, since the process started.
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
    /// What a limit of a period counts.
    struct Counted {
        Period period;
        bool cost;
        friend bool operator==(const Counted&, const Counted&) = default;
    };
    /// Made when the limit is first set, and kept: few clients have one, and most of those one.
    struct alignas(kCacheLine) PeriodLimit {
        PeriodLimit(Counted what, PeriodUsage::Sum& sum) : counted(what), limit(what.period, sum) {}
        const Counted counted;
        PeriodLimit* next = nullptr;
        Limit<PeriodUsage> limit;
    };
    class Periods;
    static constexpr std::size_t place(Period p) noexcept { return static_cast<std::size_t>(p); }
    [[nodiscard]] Limit<PeriodUsage>* find(Counted what) const noexcept;
    void set_period_limit(Counted what, std::int64_t limit);
    [[nodiscard]] LimitedPeriods limited_periods() const noexcept {
        return {token_limits_.load(std::memory_order_acquire), cost_limits_.load(std::memory_order_acquire)};
    }
    [[nodiscard]] Periods token_periods(LimitedPeriods limited) noexcept;
    [[nodiscard]] Periods cost_periods(LimitedPeriods limited) noexcept;
    bool try_reserve(const Amounts& amounts, LimitedPeriods limited, Now now, Refusal& refusal) noexcept;
    bool reserve_periods(Periods periods, std::int64_t n, Reason gone, Now now, Refusal& refusal) noexcept;
    void force(const Amounts& amounts, LimitedPeriods limited, Now now) noexcept;
    void add_open(std::int64_t tokens, std::int64_t cost, LimitedPeriods limited) noexcept;

    // What every request reads or writes comes first, in as few cache lines as possible.
    const SubjectKind kind_;
    std::atomic<bool> shadow_{false};
    std::atomic<std::uint8_t> weight_{weight(Priority::normal)};
    /// One bit for each period that has a limit.
    std::atomic<std::uint8_t> token_limits_{0};
    std::atomic<std::uint8_t> cost_limits_{0};
    bool leaving_ = false;  ///< for ClientQuotas: to be removed once no SubjectRef is left
    const std::uint16_t owner_length_;
    std::atomic<std::uint32_t> holders_{0};
    std::uint32_t configured_ = 0;  ///< for ClientQuotas: the last configuration that named it
    /// Reserved of periods with a limit, but not settled: distinguishes a spent quota from one that is only
    /// reserved.
    std::atomic<std::int64_t> open_tokens_{0};
    std::atomic<std::int64_t> open_cost_{0};
    Limit<MomentUsage> in_flight_;
    PeriodSums token_sums_{};
    PeriodSums cost_sums_{};
    const std::string key_;
    std::atomic<std::int64_t> typical_output_{kFirstGuess};
    std::atomic<std::int64_t> spent_{0};
    Limit<MinuteUsage> tokens_;
    Limit<MinuteUsage> requests_;
    // What few requests use.
    std::atomic<PeriodLimit*> period_limits_{nullptr};  ///< a list; only grows
    std::atomic<std::uint64_t> refusals_{0};
    std::atomic<std::uint64_t> shadow_refusals_{0};
};

/// Refers to a subject and keeps it from being removed; may be null.
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
