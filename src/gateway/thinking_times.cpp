#include "gateway/thinking_times.hpp"

#include <algorithm>
#include <cmath>

namespace spillway::gateway {
namespace {

/// The old is halved away when so many were counted.
constexpr std::uint32_t kMostCounted = 2000;

std::size_t size_class(std::uint64_t tokens) noexcept {
    constexpr std::array<std::uint64_t, 3> ends{1000, 8000, 64'000};
    return static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), tokens) - ends.begin());
}

}  // namespace

ThinkingTimes::Histogram& ThinkingTimes::of(std::uint32_t deployment,
                                            std::uint64_t prompt_tokens) const noexcept {
    const std::size_t number = deployment < count_ ? deployment : 0;
    return all_[number * kSizes + size_class(prompt_tokens)];
}

void ThinkingTimes::seen(std::uint32_t deployment, std::uint64_t prompt_tokens, Duration took) noexcept {
    const double seconds = std::max(1.0, to_seconds(took));
    const auto bucket = static_cast<std::size_t>(std::ceil(2 * std::log2(seconds) - 1e-9));
    Histogram& h = of(deployment, prompt_tokens);
    h.all.fetch_add(1, std::memory_order_relaxed);
    const std::uint32_t now =
        h.counts[std::min(bucket, kBuckets - 1)].fetch_add(1, std::memory_order_relaxed) + 1;
    if (now < kMostCounted) return;
    std::uint32_t all = 0;
    for (auto& count : h.counts) {
        const std::uint32_t half = count.load(std::memory_order_relaxed) / 2;
        count.store(half, std::memory_order_relaxed);
        all += half;
    }
    h.all.store(all, std::memory_order_relaxed);
}

Duration ThinkingTimes::limit(std::uint32_t deployment, std::uint64_t prompt_tokens,
                              Duration configured) const noexcept {
    const Histogram& h = of(deployment, prompt_tokens);
    const std::uint64_t all = h.all.load(std::memory_order_relaxed);
    if (all < enough) return configured;
    // The longest that one in a hundred surpasses.
    std::uint64_t above = 0;
    std::size_t bucket = kBuckets;
    while (bucket > 0 && (above += h.counts[bucket - 1].load(std::memory_order_relaxed)) * 100 <= all)
        --bucket;
    const double usual = bucket == 0 ? 0 : std::exp2(static_cast<double>(bucket - 1) / 2);
    return std::clamp(from_seconds(2 * usual), configured, 3 * configured);
}

}  // namespace spillway::gateway
