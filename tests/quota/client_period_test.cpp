#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "quota/period.hpp"

namespace spillway::quota {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::year;

Wall day(int y, unsigned m, unsigned d) {
    return sys_days(year(y) / std::chrono::month(m) / std::chrono::day(d));
}
Wall begin_of(Period p, Wall t) {
    return period_begin(p, period_index(p, t));
}

TEST(Period, BeginsAtTheCalendarsMarks) {
    const Wall t = day(2024, 2, 29) + 13h + 5min;  // a Thursday in a leap year
    EXPECT_EQ(begin_of(Period::hour, t), day(2024, 2, 29) + 13h);
    EXPECT_EQ(begin_of(Period::day, t), day(2024, 2, 29));
    EXPECT_EQ(begin_of(Period::week, t), day(2024, 2, 26));
    EXPECT_EQ(begin_of(Period::month, t), day(2024, 2, 1));
    EXPECT_EQ(period_begin(Period::month, period_index(Period::month, t) + 1), day(2024, 3, 1));
    EXPECT_EQ(begin_of(Period::week, day(2024, 12, 31)), day(2024, 12, 30));
    EXPECT_EQ(begin_of(Period::month, day(2024, 12, 31)), day(2024, 12, 1));
    EXPECT_EQ(period_begin(Period::month, period_index(Period::month, day(2024, 12, 31)) + 1),
              day(2025, 1, 1));
}

TEST(Period, EveryMomentLiesWithinItsPeriod) {
    Rng rng(7);
    for (int i = 0; i < 20'000; ++i) {
        const Wall t(std::chrono::seconds(rng.below(4'000'000'000)));
        for (const Period p : kPeriods) {
            const auto index = period_index(p, t);
            ASSERT_LE(period_begin(p, index), t);
            ASSERT_LT(t, period_begin(p, index + 1));
        }
    }
}

TEST(Period, BeforeTheEpochToo) {
    EXPECT_EQ(begin_of(Period::month, day(1969, 12, 31)), day(1969, 12, 1));
    EXPECT_EQ(begin_of(Period::week, day(1969, 12, 28)), day(1969, 12, 22));
}

TEST(Period, NamesGoBothWays) {
    for (const Period p : kPeriods) EXPECT_EQ(parse_period(to_string(p)), p);
    EXPECT_FALSE(parse_period("year"));
}

}  // namespace
}  // namespace spillway::quota
