#include "quota/client_price.hpp"

#include <algorithm>
#include <cmath>

namespace spillway::quota {
namespace {

/// A sum of products such as 3 × 0.1 is not exact; a value this close to a whole number counts as that.
constexpr double kNoise = 1e-6;

std::int64_t round_up(double value, double most) noexcept {
    return static_cast<std::int64_t>(std::ceil(std::clamp(value - kNoise, 0.0, most)));
}

}  // namespace

std::int64_t weighted(const TokenWeights& weights, const api::Usage& usage) noexcept {
    const std::uint64_t cached = std::min(usage.cached, usage.prompt);
    const std::uint64_t reasoning = std::min(usage.reasoning, usage.completion);
    return round_up(weights.prompt * static_cast<double>(usage.prompt - cached) +
                        weights.cached * static_cast<double>(cached) +
                        weights.completion * static_cast<double>(usage.completion - reasoning) +
                        weights.reasoning * static_cast<double>(reasoning),
                    4294967295.0);
}

std::int64_t cost(const Price& price, const api::Usage& usage) noexcept {
    const std::uint64_t cached = std::min(usage.cached, usage.prompt);
    constexpr double units_per_token = 1 / kMoneyUnit / 1e6;
    return round_up(units_per_token * (price.prompt * static_cast<double>(usage.prompt - cached) +
                                       price.cached * static_cast<double>(cached) +
                                       price.completion * static_cast<double>(usage.completion)),
                    1e14);
}

const Price* Prices::find(std::string_view model) const noexcept {
    while (!model.empty()) {
        if (const auto found = by_model_.find(model); found != by_model_.end()) return &found->second;
        const std::size_t dash = model.rfind('-');
        if (dash == std::string_view::npos) break;
        model = model.substr(0, dash);
    }
    return nullptr;
}

}  // namespace spillway::quota
