#pragma once
/// The weights and prices of tokens.
///
/// Quotas count weighted tokens: cached prompt tokens are part of the prompt, reasoning tokens part of the
/// completion, and each of the four kinds has its weight. Money is counted in units of 10⁻⁷ of the currency,
/// whichever it is; prices are per million tokens, as vendors publish them.
/// Thread rule: plain values. Errors: none; sums saturate.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "api/usage.hpp"

namespace spillway::quota {

inline constexpr double kMoneyUnit = 1e-7;

struct TokenWeights {
    double prompt = 1;
    double cached = 1;
    double completion = 1;
    double reasoning = 1;
    friend bool operator==(const TokenWeights&, const TokenWeights&) = default;
};

/// Rounded up; at most 2³² − 1.
[[nodiscard]] std::int64_t weighted(const TokenWeights& weights, const api::Usage& usage) noexcept;

struct Price {
    double prompt = 0;      ///< per million tokens
    double cached = 0;      ///< cached prompt tokens
    double completion = 0;  ///< including reasoning
    friend bool operator==(const Price&, const Price&) = default;
};

/// In money units, rounded up.
[[nodiscard]] std::int64_t cost(const Price& price, const api::Usage& usage) noexcept;

/// Prices by model. A name that is not listed has the price of the longest listed name that it extends with a
/// '-': `gpt-4o-2024-08-06`, `gpt-4o-2024-08`, …, `gpt-4o`.
class Prices {
public:
    Prices() = default;
    explicit Prices(std::map<std::string, Price, std::less<>> by_model) : by_model_(std::move(by_model)) {}
    /// Null if no price is known: it costs nothing.
    [[nodiscard]] const Price* find(std::string_view model) const noexcept;
    [[nodiscard]] bool empty() const noexcept { return by_model_.empty(); }

private:
    std::map<std::string, Price, std::less<>> by_model_;
};

}  // namespace spillway::quota
