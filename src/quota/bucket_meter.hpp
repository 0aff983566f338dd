#pragma once
/// The meter of a counter that drains continuously. A strict bucket refuses what does not fit (OpenAI, "Rate
/// limits", x-ratelimit-reset-tokens); a lenient one refuses only while it is above its capacity (Microsoft,
/// "Provisioned throughput": 100 % utilization).
///
/// Units: tokens or requests. Thread rule: one thread at a time. Errors: none.
#include <cstdint>
#include <optional>

#include "quota/corrections.hpp"
#include "quota/level.hpp"

namespace spillway::quota {

template <class BucketKind>
class BucketMeter {
public:
    explicit BucketMeter(Duration length) noexcept : level_(length) {}

    [[nodiscard]] const BucketKind& level() const noexcept { return level_; }
    [[nodiscard]] BucketKind& level() noexcept { return level_; }

    [[nodiscard]] std::optional<Hold> reserve(std::uint64_t amount, Mono now, bool force) noexcept;
    void correct(std::uint8_t generation, std::int64_t delta) noexcept {
        corrections_.correct(level_, generation, delta);
    }
    /// Always nullopt: a single request's charge cannot be derived from a level that drains meanwhile.
    std::optional<std::uint64_t> observe(const Hold& hold, Mono sent, std::uint64_t reported) noexcept;
    /// It drains at a known rate: there is nothing to learn.
    void resets(Mono /*sent*/, Duration /*wait*/) noexcept {}
    void refused(const Hold& hold, Mono sent, std::optional<Duration> wait,
                 std::optional<std::uint64_t> reported) noexcept;

private:
    BucketKind level_;
    Corrections corrections_;
};

using StrictBucket = BucketMeter<StrictLevel>;
using LenientBucket = BucketMeter<LenientLevel>;

extern template class BucketMeter<StrictLevel>;
extern template class BucketMeter<LenientLevel>;

}  // namespace spillway::quota
