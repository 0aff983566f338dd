#include "telemetry/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <thread>

namespace spillway::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, RendersCountersWithHelpTypeAndLabels) {
    Registry registry(4);
    registry.counter("spillway_requests_total", "Requests answered.", {{"backend", "a"}, {"status", "200"}})
        .inc(3);
    registry.counter("spillway_requests_total", "Requests answered.", {{"backend", "b"}, {"status", "429"}})
        .inc();
    registry.counter("up_total", "No labels.").inc(0);
    EXPECT_EQ(registry.render(),
              "# HELP spillway_requests_total Requests answered.\n"
              "# TYPE spillway_requests_total counter\n"
              "spillway_requests_total{backend=\"a\",status=\"200\"} 3\n"
              "spillway_requests_total{backend=\"b\",status=\"429\"} 1\n"
              "# HELP up_total No labels.\n"
              "# TYPE up_total counter\n"
              "up_total 0\n");
}

TEST(Metrics, SameLabelsGiveTheSameHandle) {
    Registry registry;
    Counter& a = registry.counter("a_total", "h", {{"x", "1"}});
    Counter& other = registry.counter("a_total", "h", {{"x", "2"}});
    for (int i = 0; i < 500; ++i)
        static_cast<void>(registry.counter("a_total", "h", {{"x", std::to_string(i + 3)}}));
    EXPECT_EQ(&a, &registry.counter("a_total", "h", {{"x", "1"}}));
    EXPECT_NE(&a, &other);
    a.inc(7);
    EXPECT_EQ(registry.counter("a_total", "h", {{"x", "1"}}).value(), 7U);
}

TEST(Metrics, EscapesLabelValuesAndHelp) {
    Registry registry;
    registry
        .counter("e_total", "Back\\slash\nand \"quotes\".",
                 {{"p",
                   "a\\b\"c\nd\xff"
                   "e"}})
        .inc();
    EXPECT_EQ(registry.render(),
              "# HELP e_total Back\\\\slash\\nand \"quotes\".\n"
              "# TYPE e_total counter\n"
              "e_total{p=\"a\\\\b\\\"c\\nd\xEF\xBF\xBD"
              "e\"} 1\n");
}

TEST(Metrics, GaugesMoveBothWays) {
    Registry registry(2);
    UpDown& in_flight = registry.up_down("in_flight", "h");
    in_flight.inc(5);
    in_flight.dec(7);
    Gauge& share = registry.gauge("share", "h", {{"b", "x"}});
    share.set(0.25);
    share.add(0.5);
    EXPECT_EQ(in_flight.value(), -2);
    EXPECT_DOUBLE_EQ(share.value(), 0.75);
    const std::string text = registry.render();
    EXPECT_THAT(text, HasSubstr("# TYPE in_flight gauge\nin_flight -2\n"));
    EXPECT_THAT(text, HasSubstr("# TYPE share gauge\nshare{b=\"x\"} 0.75\n"));
}

TEST(Metrics, SpellsNonFiniteValues) {
    Registry registry;
    registry.gauge("g", "h", {{"k", "n"}}).set(std::numeric_limits<double>::quiet_NaN());
    registry.gauge("g", "h", {{"k", "p"}}).set(HUGE_VAL);
    registry.gauge("g", "h", {{"k", "m"}}).set(-HUGE_VAL);
    EXPECT_THAT(registry.render(), HasSubstr("g{k=\"n\"} NaN\ng{k=\"p\"} +Inf\ng{k=\"m\"} -Inf\n"));
}

TEST(Metrics, HistogramBucketsAreCumulativeAndBoundsInclusive) {
    Registry registry(8);
    const double bounds[] = {0.1, 1, 2.5};
    Histogram& h = registry.histogram("t_seconds", "Time.", {{"op", "chat"}}, bounds);
    h.observe(std::chrono::milliseconds(100));  // on the bound: le means at most
    h.observe(0.5);
    h.observe(2.0);
    h.observe(99.0);
    h.observe(std::numeric_limits<double>::quiet_NaN());
    EXPECT_EQ(registry.render(),
              "# HELP t_seconds Time.\n"
              "# TYPE t_seconds histogram\n"
              "t_seconds_bucket{op=\"chat\",le=\"0.1\"} 1\n"
              "t_seconds_bucket{op=\"chat\",le=\"1\"} 2\n"
              "t_seconds_bucket{op=\"chat\",le=\"2.5\"} 3\n"
              "t_seconds_bucket{op=\"chat\",le=\"+Inf\"} 4\n"
              "t_seconds_sum{op=\"chat\"} 101.6\n"
              "t_seconds_count{op=\"chat\"} 4\n");
}

TEST(Metrics, HistogramWithManyBucketsSpansCacheLines) {
    Registry registry(2);
    Histogram& h = registry.histogram("d_seconds", "h");
    for (const double bound : h.bounds()) h.observe(bound);
    const Histogram::Snapshot s = h.snapshot();
    ASSERT_EQ(s.cumulative.size(), default_time_buckets().size() + 1);
    for (std::size_t i = 0; i + 1 < s.cumulative.size(); ++i) EXPECT_EQ(s.cumulative[i], i + 1);
    EXPECT_EQ(s.count(), default_time_buckets().size());
    EXPECT_THAT(registry.render(), HasSubstr("d_seconds_bucket{le=\"+Inf\"} 16\n"));
}

TEST(Metrics, CountsNothingLessFromManyThreads) {
    Registry registry;
    Counter& counter = registry.counter("c_total", "h");
    UpDown& level = registry.up_down("l", "h");
    Histogram& histogram = registry.histogram("h_seconds", "h");
    constexpr int kThreads = 4;
    constexpr std::uint64_t kTurns = 20'000;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&] {
            for (std::uint64_t i = 0; i < kTurns; ++i) {
                counter.inc();
                level.inc();
                histogram.observe(0.5);
                level.dec();
            }
        });
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(registry.render().empty());
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(counter.value(), kThreads * kTurns);
    EXPECT_EQ(level.value(), 0);
    EXPECT_EQ(histogram.snapshot().count(), kThreads * kTurns);
    EXPECT_DOUBLE_EQ(histogram.snapshot().sum, kThreads * kTurns * 0.5);
}

TEST(Metrics, EachOfManyChildrenHasItsOwnCells) {
    constexpr std::uint64_t kChildren = 1500;
    constexpr std::size_t kShards = 4;
    Registry registry(kShards);
    std::vector<Counter*> made;
    for (std::uint64_t i = 0; i < kChildren; ++i)
        made.push_back(&registry.counter("n_total", "h", {{"x", std::to_string(i)}}));
    for (std::uint64_t i = 0; i < kChildren; ++i)
        for (std::size_t shard = 0; shard < kShards; ++shard) OwnCount(*made[i], shard).inc(i + shard);
    for (std::uint64_t i = 0; i < kChildren; ++i) ASSERT_EQ(made[i]->value(), 4 * i + 6);
}

TEST(Metrics, CallbacksAreReadAtRenderUntilReleased) {
    Registry registry;
    double cool_down = 1.5;
    std::optional<Registry::Registration> registration =
        registry.callback(MetricType::gauge, "cool_down_seconds", "h", [&](Emitter& emit) {
            emit({{"backend", "a"}}, cool_down);
            emit(2);
        });
    EXPECT_THAT(registry.render(), HasSubstr("# TYPE cool_down_seconds gauge\n"
                                             "cool_down_seconds{backend=\"a\"} 1.5\ncool_down_seconds 2\n"));
    cool_down = 0;
    EXPECT_THAT(registry.render(), HasSubstr("cool_down_seconds{backend=\"a\"} 0\n"));
    Registry::Registration moved = std::move(*registration);
    registration.reset();
    EXPECT_THAT(registry.render(), HasSubstr("cool_down_seconds 2\n"));
    moved = Registry::Registration();
    EXPECT_EQ(registry.render(), "");
}

TEST(Metrics, TooManyChildrenShareOne) {
    Registry registry(1);
    for (std::size_t i = 0; i < kMaxChildren; ++i)
        registry.counter("many_total", "h", {{"x", std::to_string(i)}}).inc();
    Counter& a = registry.counter("many_total", "h", {{"x", "one more"}});
    Counter& b = registry.counter("many_total", "h", {{"x", "another"}});
    EXPECT_EQ(&a, &b);
    EXPECT_EQ(registry.counter("many_total", "h", {{"x", "5"}}).value(), 1U);
    a.inc(2);
    EXPECT_THAT(registry.render(), HasSubstr("many_total{x=\"_other\"} 2\n"));
}

TEST(Metrics, RefusesWhatCannotBeExposed) {
    Registry registry;
    static_cast<void>(registry.counter("ok_total", "h", {{"x", "1"}}));
    EXPECT_THROW(registry.counter("", "h"), std::invalid_argument);
    EXPECT_THROW(registry.counter("1x", "h"), std::invalid_argument);
    EXPECT_THROW(registry.counter("with-dash", "h"), std::invalid_argument);
    EXPECT_THROW(registry.counter("l_total", "h", {{"a:b", "1"}}), std::invalid_argument);
    EXPECT_THROW(registry.counter("l_total", "h", {{"__a", "1"}}), std::invalid_argument);
    EXPECT_THROW(registry.gauge("ok_total", "h", {{"x", "1"}}), std::invalid_argument);
    EXPECT_THROW(registry.counter("ok_total", "other help", {{"x", "1"}}), std::invalid_argument);
    EXPECT_THROW(registry.counter("ok_total", "h", {{"y", "1"}}), std::invalid_argument);
    EXPECT_THROW(registry.counter("ok_total", "h"), std::invalid_argument);
    static_cast<void>(registry.up_down("level", "h"));
    EXPECT_THROW(registry.gauge("level", "h"), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(registry.callback(MetricType::histogram, "cb", "h", [](Emitter&) {})),
                 std::invalid_argument);
    const double falling[] = {1, 0.5};
    const double infinite[] = {1, HUGE_VAL};
    const double two[] = {1, 2};
    EXPECT_THROW(registry.histogram("h", "h", {}, falling), std::invalid_argument);
    EXPECT_THROW(registry.histogram("h", "h", {}, infinite), std::invalid_argument);
    EXPECT_THROW(registry.histogram("h", "h", {}, std::span<const double>{}), std::invalid_argument);
    EXPECT_THROW(registry.histogram("h", "h", {{"le", "1"}}), std::invalid_argument);
    static_cast<void>(registry.histogram("h", "h", {}, two));
    EXPECT_THROW(registry.histogram("h", "h"), std::invalid_argument);
    EXPECT_THAT(registry.render(), Not(HasSubstr("with-dash")));
}

}  // namespace
}  // namespace spillway::telemetry
