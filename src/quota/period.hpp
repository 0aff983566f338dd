#pragma once
/// Calendar periods of quotas and budgets, in UTC: fixed windows, as in API Management's
/// `token-quota-period`. A week begins on Monday (ISO 8601).
///
/// Units: an index counts periods since 1970 (weeks since the Monday before it).
/// Thread rule: pure functions. Errors: none.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace spillway::quota {

enum class Period : std::uint8_t { hour, day, week, month };
inline constexpr std::array<Period, 4> kPeriods{Period::hour, Period::day, Period::week, Period::month};

[[nodiscard]] std::string_view to_string(Period period) noexcept;
[[nodiscard]] std::optional<Period> parse_period(std::string_view text) noexcept;

[[nodiscard]] std::int64_t period_index(Period period, Wall now) noexcept;
/// Of all periods, as kPeriods orders them.
using PeriodIndices = std::array<std::int64_t, kPeriods.size()>;
[[nodiscard]] PeriodIndices period_indices(Wall now) noexcept;
/// The first moment of the period with that index; it ends when the next one begins.
[[nodiscard]] Wall period_begin(Period period, std::int64_t index) noexcept;

}  // namespace spillway::quota
