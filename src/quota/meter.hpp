#pragma once
/// A model of one of the counters a backend keeps for us: of tokens, or of requests. It counts what we send,
/// and is corrected by what the backend reports. It is one of three kinds of counter, chosen at
/// construction:
///
/// - window (quota/window_meter.hpp): reset at fixed times whose phase has to be learned;
/// - strict bucket (quota/bucket_meter.hpp): drains continuously and refuses what does not fit;
/// - lenient bucket: drains continuously and refuses only while it is above its capacity.
///
/// Units: tokens or requests; counts saturate at 2³² − 1. Thread rule: one thread at a time; quota/mirror.hpp
/// holds the lock. level() is a value that may be passed to other threads. Errors: none.
#include <cstdint>
#include <optional>
#include <variant>

#include "api/dialect.hpp"
#include "base/clock.hpp"
#include "quota/bucket_meter.hpp"
#include "quota/hold.hpp"
#include "quota/level.hpp"
#include "quota/window_meter.hpp"

namespace spillway::quota {

/// A meter's state. A value: 40 bytes, trivially copyable.
class MeterLevel {
public:
    using Kind = std::variant<WindowLevel, StrictLevel, LenientLevel>;

    explicit MeterLevel(const Kind& kind) noexcept : kind_(kind) {}

    [[nodiscard]] std::uint64_t limit() const noexcept { return common().limit; }
    [[nodiscard]] Basis basis() const noexcept { return common().basis; }
    [[nodiscard]] Duration length() const noexcept { return tick_length * common().length; }
    /// The present count.
    [[nodiscard]] std::uint64_t used(Mono now) const noexcept;
    [[nodiscard]] Headroom headroom(std::uint64_t amount, Mono now) const noexcept;
    /// How precisely the end of the window is known; length() if not at all.
    [[nodiscard]] Duration phase_gap() const noexcept;
    [[nodiscard]] const Kind& kind() const noexcept { return kind_; }

private:
    [[nodiscard]] const Level& common() const noexcept;

    Kind kind_;
};

class Meter {
public:
    Meter(api::QuotaModel model, Duration length) noexcept;

    [[nodiscard]] MeterLevel level() const noexcept;
    /// Goes on where another meter of the same counter was; nothing if that is of another kind.
    void restore(const MeterLevel& level) noexcept;
    /// A reported limit replaces a guessed one, never the reverse.
    void set_limit(std::uint64_t limit, Basis basis) noexcept;
    /// If the length changes, the count starts again.
    void set_length(Duration length) noexcept;

    /// Counts `amount` if it fits, or unconditionally with `force`. More than the whole limit counts as
    /// fitting an empty counter. Without `force`, a window or strict bucket never exceeds its limit.
    [[nodiscard]] std::optional<Hold> reserve(std::uint64_t amount, Mono now, bool force) noexcept;
    /// Adds `delta` to what was counted for `hold`, if more or less was charged.
    void adjust(const Hold& hold, std::int64_t delta) noexcept;
    /// Subtracts what was not charged: refused, or never sent.
    void release(const Hold& hold) noexcept { adjust(hold, -std::int64_t{hold.amount}); }

    /// Other replicas sent `amount`; if negative, it was not charged after all.
    void others_sent(std::int64_t amount, Mono now) noexcept;

    /// The backend reported its count right after it admitted the request sent at `sent`. Returns the charge
    /// for this request, if the report for the one before is known and their order is certain.
    std::optional<std::uint64_t> observe(const Hold& hold, Mono sent, std::uint64_t reported) noexcept;
    /// The backend reported, for the request sent at `sent`, that the counter resets in `wait`.
    void resets(Mono sent, Duration wait) noexcept;
    /// The backend refused the request because of this counter, for `wait`; `reported` is its count, if
    /// known. Releases the hold.
    void refused(const Hold& hold, Mono sent, std::optional<Duration> wait,
                 std::optional<std::uint64_t> reported) noexcept;

private:
    using Kind = std::variant<WindowMeter, StrictBucket, LenientBucket>;
    [[nodiscard]] static Kind make(api::QuotaModel model, Duration length) noexcept;

    Kind kind_;
};

}  // namespace spillway::quota
