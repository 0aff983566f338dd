#pragma once
/// How long models think before their first output, by deployment and size of the prompt, so that time-outs
/// allow for models that think long.
///
/// After enough answers, a request may take twice as long as 99 of 100 of its kind did: at least the time
/// configured, and at most three times that. A request that timed out counts as one that took that
/// long.
///
///     const Duration limit = times.limit(deployment, prompt_tokens, configured);
///     times.seen(deployment, prompt_tokens, took);
///
/// Thread rule: any thread, no lock; concurrent counts may be lost. Errors: none.
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "base/clock.hpp"

namespace spillway::gateway {

class ThinkingTimes {
public:
    /// For deployments with indices below `count`; others share the first.
    explicit ThinkingTimes(std::uint32_t count)
        : all_(std::make_unique<Histogram[]>(std::size_t{count} * kSizes)), count_(count) {}

    void seen(std::uint32_t deployment, std::uint64_t prompt_tokens, Duration took) noexcept;
    /// The time-out for the first output; `configured` if too little is known.
    [[nodiscard]] Duration limit(std::uint32_t deployment, std::uint64_t prompt_tokens,
                                 Duration configured) const noexcept;

    static constexpr std::uint32_t enough = 50;  ///< answers

private:
    static constexpr std::size_t kSizes = 4;     ///< below 1,000, 8,000 and 64,000 tokens, and above
    static constexpr std::size_t kBuckets = 26;  ///< each √2 of the one before; the first ends at 1 s
    struct Histogram {
        std::atomic<std::uint32_t> all{0};  ///< the sum of the counts, about
        std::array<std::atomic<std::uint32_t>, kBuckets> counts{};
    };

    [[nodiscard]] Histogram& of(std::uint32_t deployment, std::uint64_t prompt_tokens) const noexcept;

    std::unique_ptr<Histogram[]> all_;
    std::uint32_t count_;
};

}  // namespace spillway::gateway
