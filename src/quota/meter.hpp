#pragma once
/// A model of one counter that a backend holds against us: its tokens, or its requests. It counts what we
/// send, and is corrected by what the backend reports. Which of the three kinds of counter it is, is chosen
/// once:
///
/// - window (quota/window_meter.hpp): set to zero at fixed times whose phase has to be learned;
/// - strict bucket (quota/bucket_meter.hpp): drains all the time and refuses what does not fit;
/// - lenient bucket: drains all the time and refuses only while it is above its capacity.
///
/// Units: tokens or requests; counts saturate at 2³² − 1. Thread rule: one thread at a time; quota/mirror.hpp
/// holds the lock. level() is a value that may be handed to other threads. Errors: none.
#include <cstdint>
#include <optional>
#include <variant>

#include "api/dialect.hpp"
#include "base/clock.hpp"
#include "quota/bucket_meter.hpp"
#include "quota/claim.hpp"
#include "quota/level.hpp"
#include "quota/window_meter.hpp"

namespace spillway::quota {

/// What a meter stands at. A value: 40 bytes, trivially copyable.
class MeterLevel {
public:
    using Kind = std::variant<WindowLevel, StrictLevel, LenientLevel>;

    explicit MeterLevel(const Kind& kind) noexcept : kind_(kind) {}

    [[nodiscard]] std::uint64_t limit() const noexcept { return common().limit; }
    [[nodiscard]] Basis basis() const noexcept { return common().basis; }
    [[nodiscard]] Duration length() const noexcept { return tick_length * common().length; }
    /// What is counted now.
    [[nodiscard]] std::uint64_t used(Mono now) const noexcept;
    [[nodiscard]] Headroom headroom(std::uint64_t amount, Mono now) const noexcept;
    /// How exactly the end of the window is known; length() if not at all.
    [[nodiscard]] Duration phase_gap() const noexcept;

private:
    [[nodiscard]] const Level& common() const noexcept;

    Kind kind_;
};

class Meter {
public:
    Meter(api::QuotaModel model, Duration length) noexcept;

    [[nodiscard]] MeterLevel level() const noexcept;
    /// A reported limit replaces a guessed one, not the other way round.
    void set_limit(std::uint64_t limit, Basis basis) noexcept;
    /// Another length than before: the count begins anew.
    void set_length(Duration length) noexcept;

    /// Counts `amount` if it fits, or, with `force`, in any case. More than the whole limit counts as fitting
    /// an empty counter. Without force, no count goes above a window's or strict bucket's limit.
    [[nodiscard]] std::optional<Claim> reserve(std::uint64_t amount, Mono now, bool force) noexcept;
    /// Changes what was counted for `claim` by `delta`, if more or less was charged.
    void adjust(const Claim& claim, std::int64_t delta) noexcept;
    /// Takes back what was not charged: refused, or never sent.
    void release(const Claim& claim) noexcept { adjust(claim, -std::int64_t{claim.amount}); }

    /// Others, who share the backend with us, sent `amount`; negative: took it back.
    void others_sent(std::int64_t amount, Mono now) noexcept;

    /// The backend reported its count right after it admitted the request sent at `sent`. Returns what this
    /// request was charged, if the request before it has been seen as well and their order is certain.
    std::optional<std::uint64_t> observe(const Claim& claim, Mono sent, std::uint64_t reported) noexcept;
    /// The backend reported, for the request sent at `sent`, that it resets in `wait`.
    void resets(Mono sent, Duration wait) noexcept;
    /// The backend refused the claim because of this counter, for `wait`; `reported` is its count, if it said
    /// so. Takes the claim back.
    void refused(const Claim& claim, Mono sent, std::optional<Duration> wait,
                 std::optional<std::uint64_t> reported) noexcept;

private:
    using Kind = std::variant<WindowMeter, StrictBucket, LenientBucket>;
    [[nodiscard]] static Kind make(api::QuotaModel model, Duration length) noexcept;

    Kind kind_;
};

}  // namespace spillway::quota
