#pragma once
/// A model of one counter that a backend holds against us: its tokens, or its requests. It counts what we
/// send, and is corrected by what the backend tells.
///
/// Two kinds. A *window* is set to zero at fixed times whose phase is not known at first (Azure OpenAI,
/// "Manage Azure OpenAI quota": the counter resets each minute; requests are judged over 1 or 10 s). A
/// *bucket* drains continuously: strict ones refuse what does not fit (OpenAI's limits), lenient ones only
/// when they are above their capacity (Azure, "Provisioned throughput": 100 % utilisation).
///
/// How a window's phase is learned: a backend's own count never falls within a window, so when it told more
/// for an earlier request than for a later one, it was reset between the two. Each such pair, and each
/// refusal with its Retry-After, narrows [earliest, end], the interval in which the current window ends.
/// Until `end` the old count stands; what is sent within the interval also counts into the next window, so a
/// window is never counted emptier than it may be.
///
/// How counts are corrected: a claim remembers what the count was right after it was made (its mark). The
/// difference to what the backend tells for that very request is how wrong we were at that moment, and is
/// added to the count of now, less what was corrected since. So heads may come late; when they come out of
/// order, the one of the latest request counts. Requests sent within a few ticks may be counted in another
/// order than they were sent in: what that can explain is no error (quota/recent_marks.hpp).
///
/// Units: tokens or requests; counts saturate at 2³² − 1. Time in ticks of 16 ms, modulo 2²⁴ (74 h): idle for
/// longer is the same as new. Thread rule: any thread; one 64-bit word changed by compare-and-swap, no lock.
/// Errors: none.
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "quota/recent_marks.hpp"

namespace spillway::quota {

enum class Model : std::uint8_t { window, strict_bucket, lenient_bucket };

/// Why a limit is believed.
enum class Basis : std::uint8_t {
    none,     ///< no limit is known: everything fits
    guessed,  ///< from what was told to remain: a preference, never a reason to refuse
    told,     ///< configured, or in a header
};

/// One request's share of the count, kept by whoever made it.
struct Claim {
    std::uint32_t amount = 0;
    std::uint32_t mark = 0;       ///< the count right after, less all corrections until then
    std::uint32_t behind = 0;     ///< claimed so shortly before that it may be counted later
    std::uint8_t generation = 0;  ///< 0: nothing was claimed
};

struct Room {
    bool fits = true;
    /// It does not fit, but may all the same: the limit is a guess, or the window may be over already.
    bool unsure = false;
    Duration wait{};      ///< until it fits; zero if it does
    double headroom = 1;  ///< share of the limit that would be left, 0…1; 1 if no limit is known
    double left = 0.5;    ///< share of the window's time that is left for sure, 0…1; 0.5: not a window
};

class alignas(64) Meter {
public:
    Meter(Model model, Duration length) noexcept;

    /// A told limit replaces a guessed one, not the other way round.
    void set_limit(std::uint64_t limit, Basis basis) noexcept;
    void set_length(Duration length) noexcept;
    [[nodiscard]] std::uint64_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
    [[nodiscard]] Basis basis() const noexcept { return basis_.load(std::memory_order_relaxed); }
    [[nodiscard]] Duration length() const noexcept;

    [[nodiscard]] Room room(std::uint64_t amount, Mono now) const noexcept;
    /// What is counted now; never negative.
    [[nodiscard]] std::uint64_t used(Mono now) const noexcept;
    /// How exactly the end of the window is known; length() if not at all.
    [[nodiscard]] Duration phase_gap() const noexcept;

    /// Counts `amount` if it fits, or, with `force`, in any case. More than the whole limit counts as fitting
    /// an empty window. Without force, the count is never above the limit.
    [[nodiscard]] std::optional<Claim> reserve(std::uint64_t amount, Mono now, bool force) noexcept;
    /// Takes back what was not charged (refused, never sent), or changes it by `delta` if it was more or
    /// less.
    void adjust(const Claim& claim, std::int64_t delta) noexcept;
    void release(const Claim& claim) noexcept { adjust(claim, -static_cast<std::int64_t>(claim.amount)); }

    /// Others, who share the backend with us, sent `amount`; negative: took back.
    void others_sent(std::int64_t amount, Mono now) noexcept;

    /// The backend told its count right after it admitted the request sent at `sent`. Returns what this
    /// request was charged, if the request before it has been seen as well and their order is sure.
    std::optional<std::uint64_t> observe(const Claim& claim, Mono sent, std::uint64_t told) noexcept;
    /// The backend told, for the request sent at `sent`, that it resets in `wait`.
    void resets(Mono sent, Duration wait) noexcept;
    /// The backend refused the claim because of this counter, for `wait`; `told` is its count, if it said so.
    /// Takes the claim back.
    void refused(const Claim& claim, Mono sent, std::optional<Duration> wait,
                 std::optional<std::uint64_t> told) noexcept;

private:
    struct State;  // the unpacked word
    struct Reset {
        std::int64_t after, until, moment;
    };
    [[nodiscard]] State load(std::int64_t now) const noexcept;
    [[nodiscard]] State advanced(State s, std::int64_t now) const noexcept;
    [[nodiscard]] State drained(State s, std::int64_t now) const noexcept;
    [[nodiscard]] std::int64_t ticks_until(const State& s, std::uint64_t need,
                                           std::int64_t now) const noexcept;
    [[nodiscard]] std::uint64_t need(std::uint64_t amount) const noexcept;
    void correct(std::uint8_t generation, std::int64_t delta) noexcept;
    [[nodiscard]] std::int64_t error_of(const Claim& claim, std::int64_t sent,
                                        std::uint64_t told) const noexcept;
    [[nodiscard]] bool compare(const Claim& claim, std::int64_t sent, std::uint64_t told) noexcept;
    void narrow(const Reset& reset, const Claim* fresh, std::uint64_t told) noexcept;
    std::optional<std::uint64_t> charge(const Claim& claim, std::uint64_t told) noexcept;

    // All that room() reads, in one cache line.
    const Model model_;
    std::atomic<Basis> basis_{Basis::none};
    std::atomic<std::int32_t> length_;  ///< ticks
    std::atomic<std::uint64_t> word_{0};
    std::atomic<std::uint32_t> limit_{0};
    std::atomic<std::int32_t> gap_;            ///< ticks; end − earliest
    std::atomic<std::uint32_t> carry_{0};      ///< counted within the gap
    std::atomic<std::uint32_t> corrected_{0};  ///< sum of all corrections, modulo 2³²
    std::atomic<std::uint64_t> seen_{0};       ///< the latest request whose count was told: when, how much
    /// What is known of a recent mark, to find what single requests were charged.
    struct Marked {
        std::atomic<std::uint64_t> told{0};  ///< the count told for it
        std::atomic<std::uint32_t> overtaken{
            0};  ///< it, if another followed so soon that it may be overtaken
    };
    std::array<Marked, 32> marks_{};
    RecentMarks recent_;
};

}  // namespace spillway::quota
