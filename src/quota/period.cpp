#include "quota/period.hpp"

namespace spillway::quota {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::sys_days;

/// 1 January 1970 was a Thursday: three days after a Monday.
constexpr days kMondayShift{3};

}  // namespace

std::string_view to_string(Period period) noexcept {
    switch (period) {
        case Period::hour:
            return "hour";
        case Period::day:
            return "day";
        case Period::week:
            return "week";
        case Period::month:
            break;
    }
    return "month";
}

std::optional<Period> parse_period(std::string_view text) noexcept {
    for (const Period period : kPeriods)
        if (text == to_string(period)) return period;
    return std::nullopt;
}

std::int64_t period_index(Period period, Wall now) noexcept {
    const auto since = now.time_since_epoch();
    switch (period) {
        case Period::hour:
            return floor<hours>(since).count();
        case Period::day:
            return floor<days>(since).count();
        case Period::week:
            return floor<std::chrono::weeks>(since + kMondayShift).count();
        case Period::month:
            break;
    }
    const std::chrono::year_month_day date{floor<days>(now)};
    return (std::int64_t{int(date.year())} - 1970) * 12 + std::int64_t{unsigned(date.month())} - 1;
}

PeriodIndices period_indices(Wall now) noexcept {
    PeriodIndices out{};
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = period_index(kPeriods[i], now);
    return out;
}

Wall period_begin(Period period, std::int64_t index) noexcept {
    switch (period) {
        case Period::hour:
            return Wall(hours(index));
        case Period::day:
            return Wall(days(index));
        case Period::week:
            return Wall(std::chrono::weeks(index) - kMondayShift);
        case Period::month:
            break;
    }
    std::int64_t year = index / 12;
    std::int64_t month = index % 12;
    if (month < 0) {
        month += 12;
        --year;
    }
    return sys_days(std::chrono::year(static_cast<int>(1970 + year)) /
                    std::chrono::month(static_cast<unsigned>(month + 1)) / 1);
}

}  // namespace spillway::quota
