#include "load/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/utf8.hpp"
#include "load/progress.hpp"
#include "load/report.hpp"
#include "load/threshold.hpp"

namespace spillway::load {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

Sample answered(Duration due, Duration first, Duration whole, std::string backend) {
    Sample s;
    s.due = due;
    s.sent = due + 1ms;
    s.first_token = due + first;
    s.end = due + whole;
    s.status = 200;
    s.streamed = true;
    s.usage = {100, 20, 120, 0, 0};
    s.backend = std::move(backend);
    s.attempts = 1;
    return s;
}

Sample refused(Duration due, unsigned status) {
    Sample s;
    s.due = s.sent = due;
    s.end = due + 5ms;
    s.status = status;
    s.problem = status == 0 ? "not connected" : "status " + std::to_string(status);
    return s;
}

/// 10 requests a second for 10 s; the first 2 s are warm-up. Of each ten one is a 429 and one a 500.
Statistics ten_seconds() {
    Statistics s(1s, 2s);
    for (int i = 0; i < 100; ++i) {
        const Duration due = i * 100ms;
        s.begun(due);
        if (i % 10 == 8)
            s.add(refused(due, 429));
        else if (i % 10 == 9)
            s.add(refused(due, i == 99 ? 0 : 500));
        else
            s.add(answered(due, 200ms, 900ms, i < 50 ? "one" : "two<b>"));
        s.add_gap(due, 10ms);
        s.in_flight(due, static_cast<std::uint64_t>(i % 7));
    }
    return s;
}

Record a_record(std::string name) {
    Record r = make_record(ten_seconds(), 10s);
    r.name = std::move(name);
    r.started = "2025-01-31T23:59:59.123Z";
    r.settings = {{"endpoint", "http://h:1"}, {"a \"quoted\"", "<script>"}};
    r.thresholds = {{"p99_ttft<500ms", "200 ms", true}};
    return r;
}

TEST(Statistics, LeavesTheWarmUpOutOfTheFiguresButNotOfTheSeries) {
    const Record r = a_record("x");
    EXPECT_EQ(r.seconds, 8);
    EXPECT_EQ(r.due, 80U);
    EXPECT_EQ(r.ok, 64U);
    EXPECT_EQ(r.throttled, 8U);
    EXPECT_EQ(r.failed, 8U);
    EXPECT_DOUBLE_EQ(r.offered_rate(), 10);
    EXPECT_DOUBLE_EQ(r.ok_rate(), 8);
    EXPECT_DOUBLE_EQ(r.error_rate(), 0.2);
    EXPECT_DOUBLE_EQ(r.throttle_rate(), 0.1);
    EXPECT_DOUBLE_EQ(r.tokens_per_minute(), 64 * 120 / 8.0 * 60);
    EXPECT_EQ(r.rows.front().due, 10U);
    EXPECT_EQ(r.gap.count(), 80U);
    EXPECT_EQ(r.statuses, (Counts<std::uint64_t>{{"200", 64}, {"429", 8}, {"500", 7}, {"none", 1}}));
    EXPECT_EQ(r.backends, (Counts<std::uint64_t>{{"one", 24}, {"two<b>", 40}}));
    EXPECT_EQ(r.problems.at("not connected"), 1U);
}

TEST(Statistics, MeasuresFromWhenARequestWasDue) {
    Statistics s(1s, 0s);
    // The endpoint stands still for 10 s; requests due meanwhile are sent late, and each is quick then.
    for (int i = 0; i < 100; ++i) {
        Sample sample = answered(i * 100ms, 0s, 0s, "");
        sample.sent = 10s;
        sample.first_token = 10s + 5ms;
        sample.end = 10s + 10ms;
        s.begun(sample.due);
        s.add(sample);
    }
    const Record r = make_record(s, 10s);
    EXPECT_NEAR(to_seconds(r.latency.quantile(0.5)), 5.01, 0.11);
    EXPECT_NEAR(to_seconds(r.latency.max()), 10.01, 0.01);
    EXPECT_NEAR(to_seconds(r.lag.quantile(0.5)), 5, 0.11);
}

TEST(Statistics, MergeIsAsIfOneHadSeenAll) {
    Statistics one(1s, 0s);
    Statistics a(1s, 0s);
    Statistics b(1s, 0s);
    for (int i = 0; i < 60; ++i) {
        Sample sample = answered(i * 50ms, std::chrono::milliseconds(i), 300ms, i % 2 ? "x" : "y");
        for (Statistics* s : {&one, i % 3 ? &a : &b}) {
            s->begun(sample.due);
            s->add(sample);
        }
    }
    a.merge(b);
    EXPECT_EQ(to_json(make_record(a, 3s)), to_json(make_record(one, 3s)));
}

TEST(Step, FitsTheLength) {
    EXPECT_EQ(step_for(20s), 1s);
    EXPECT_EQ(step_for(150s), 1s);
    EXPECT_EQ(step_for(151s), 2s);
    EXPECT_EQ(step_for(1h), 30s);
    EXPECT_EQ(step_for(1000h), 24'000s);
}

TEST(Record, GoesToJsonAndBack) {
    const Record before = a_record("run \"one\"");
    const std::string json = to_json(before);
    const auto after = parse_record(json);
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_EQ(after->name, before.name);
    EXPECT_EQ(after->settings, before.settings);
    EXPECT_EQ(after->due, before.due);
    EXPECT_EQ(after->rows.size(), before.rows.size());
    EXPECT_EQ(after->rows[3].backends, before.rows[3].backends);
    EXPECT_NEAR(after->rows[3].ttft_p99, before.rows[3].ttft_p99, 1e-6);
    EXPECT_EQ(after->rows[3].in_flight, before.rows[3].in_flight);
    EXPECT_EQ(after->latency.quantile(0.99), before.latency.quantile(0.99));
    EXPECT_EQ(after->verdict(), before.verdict());
    EXPECT_EQ(after->statuses, before.statuses);
    EXPECT_EQ(html_report(*after), html_report(before));
}

TEST(Record, RefusesOtherFiles) {
    for (const char* bad : {"", "[]", "{}", "{\"spillway_load\": 2}", "{\"spillway_load\": 1", "x",
                            "{\"spillway_load\":1,\"due\":\"x\"}",
                            "{\"spillway_load\":1,\"ttft_ms\":{\"microseconds\":[[1]]}}"})
        EXPECT_FALSE(parse_record(bad)) << bad;
    EXPECT_TRUE(parse_record("{\"spillway_load\":1,\"later\":[{}]}"));
}

TEST(Record, CsvHasALinePerStepAndAColumnPerBackend) {
    Record r = a_record("x");
    r.rows[1].backends["=danger, \"x\""] = 3;
    const std::string csv = to_csv(r);
    EXPECT_EQ(static_cast<std::size_t>(std::count(csv.begin(), csv.end(), '\n')), r.rows.size() + 1);
    EXPECT_THAT(csv, HasSubstr(",\"backend =danger, \"\"x\"\"\",backend one,backend two<b>\r\n"));
    EXPECT_THAT(csv, HasSubstr("\r\n2,10,8,1,1,"));
}

TEST(Threshold, JudgesWhatWasMeasured) {
    const Record r = a_record("x");
    const auto passes = [&](const char* text) {
        const auto t = parse_threshold(text);
        EXPECT_TRUE(t) << text;
        return t && judge(*t, r).passed;
    };
    EXPECT_TRUE(passes("p99_ttft<250ms"));
    EXPECT_FALSE(passes("p99_ttft<150ms"));
    EXPECT_TRUE(passes("p99.9_latency <= 0.91s"));
    EXPECT_TRUE(passes("mean_gap<10100us"));
    EXPECT_FALSE(passes("max_gap<10ms"));
    EXPECT_TRUE(passes("max_gap<=10ms"));
    EXPECT_TRUE(passes("min_latency>899ms"));
    EXPECT_TRUE(passes("error_rate<=20%"));
    EXPECT_FALSE(passes("error_rate<20%"));
    EXPECT_TRUE(passes("error_rate<0.21"));
    EXPECT_TRUE(passes("throttle_rate<11%"));
    EXPECT_TRUE(passes("rate>=8"));
    EXPECT_FALSE(passes("rate>8.1"));
    EXPECT_TRUE(passes("rate>=80%"));
    EXPECT_FALSE(passes("rate>=95%"));
    EXPECT_TRUE(passes("tokens_per_minute>50000"));
    EXPECT_TRUE(passes("errors<=16"));
    EXPECT_FALSE(passes("requests<80"));
    EXPECT_EQ(judge(*parse_threshold("p50_ttft<1s"), r).value, "200.00 ms");
}

TEST(Threshold, WhatWasNotMeasuredIsMissed) {
    const Record r;
    EXPECT_FALSE(judge(*parse_threshold("p99_ttft<1s"), r).passed);
    EXPECT_EQ(r.verdict(), Verdict::failed);
}

TEST(Threshold, RefusesWhatMakesNoSense) {
    for (const char* bad : {"error_rate<1", "error_rate<=200%", "rate>=120%", "error_rate<-1%",
                            "p99_ttft<0ms", "errors<0", "error_rate<=100%", "throttle_rate>=0%"})
        EXPECT_FALSE(parse_threshold(bad)) << bad;
    EXPECT_THAT(parse_threshold("error_rate<1").error().message, HasSubstr("1%"));
}

TEST(Record, OnlyCriteriaCanBePassed) {
    Record r = a_record("x");
    EXPECT_EQ(r.verdict(), Verdict::passed);
    r.thresholds.clear();
    EXPECT_EQ(r.verdict(), Verdict::none);
    EXPECT_THAT(html_report(r), Not(HasSubstr("badge pass\"")));
    EXPECT_THAT(to_json(r), HasSubstr("\"passed\":null"));
    r.failed = r.ok * 2;
    EXPECT_EQ(r.verdict(), Verdict::failed) << "most failed";
    r.allow_failures = true;
    EXPECT_EQ(r.verdict(), Verdict::none);
}

TEST(Report, SaysOfWhatAShareIs) {
    Record r = a_record("x");  // of 80 that ended, 8 were throttled and 8 failed
    EXPECT_THAT(html_report(r), HasSubstr("failed, 50 % of them 429"));
}

TEST(Report, FitsEightyColumns) {
    Record r = a_record("x");
    for (int i = 0; i < 30; ++i) r.backends[fmt::format("a-backend-with-a-long-name-{:02}", i)] = 10;
    EXPECT_THAT(text_report(r), HasSubstr(": 10,\n               a-backend"));
    std::istringstream text(text_report(r));
    for (std::string line; std::getline(text, line);) EXPECT_LE(count_characters(line), 80U) << line;
}

TEST(Threshold, RefusesWhatItDoesNotUnderstand) {
    for (const char* bad : {"", "p99_ttft", "p99_ttft<500", "p99_ttft=5ms", "p101_ttft<5ms", "px_ttft<5ms",
                            "p99_speed<5ms", "error_rate<x", "errors<5%", "rate>=5ms", "<5", "p99_ttft<",
                            "error_rate<nan", "_ttft<5ms", "p_ttft<5ms"})
        EXPECT_FALSE(parse_threshold(bad)) << bad;
}

TEST(Report, IsSelfContainedAndEscapes) {
    const std::string html = html_report(a_record("<run> & co"));
    EXPECT_THAT(html, HasSubstr("<h1>&lt;run&gt; &amp; co"));
    EXPECT_THAT(html, HasSubstr("two&lt;b&gt;"));
    EXPECT_THAT(html, Not(HasSubstr("<script")));
    EXPECT_THAT(html, Not(HasSubstr("src=")));
    EXPECT_THAT(html, Not(HasSubstr("http-equiv")));
    EXPECT_THAT(html, Not(HasSubstr("@import")));
    EXPECT_THAT(html, Not(HasSubstr("nan")));
    EXPECT_THAT(html, HasSubstr("prefers-color-scheme:dark"));
    EXPECT_THAT(html, HasSubstr("badge pass"));
}

TEST(Report, SaysWhatWasMissed) {
    Record r = a_record("x");
    r.thresholds.push_back({"error_rate<1%", "20.00 %", false});
    EXPECT_THAT(html_report(r), HasSubstr("badge fail"));
    EXPECT_THAT(html_report(r), HasSubstr("<td class=\"bad\">missed</td>"));
    EXPECT_THAT(text_report(r), HasSubstr("MISSED  error_rate<1% (measured: 20.00 %)"));
}

TEST(Report, OfNothingIsAPageToo) {
    EXPECT_THAT(html_report(Record()), HasSubstr("Nothing was measured."));
    EXPECT_THAT(html_comparison(Record(), Record()), HasSubstr("</html>"));
}

TEST(Comparison, TellsTheDifferences) {
    const Record before = a_record("without gateway");
    Record after = a_record("with gateway");
    after.ok += 16;
    after.throttled = after.failed = 0;
    const std::string html = html_comparison(before, after);
    EXPECT_THAT(html, HasSubstr("<td>answered per second</td><td>8</td><td>10</td><td>+25 %</td>"));
    EXPECT_THAT(html,
                HasSubstr("<td>failed, throttled included</td><td>20 %</td><td>0 %</td><td>-20 points</td>"));
    EXPECT_THAT(html, HasSubstr("<td>first token, p99</td><td>200 ms</td><td>200 ms</td><td>same</td>"));
    EXPECT_THAT(html, HasSubstr("Backends: with gateway"));
    EXPECT_THAT(html, Not(HasSubstr("nan")));
}

TEST(Comparison, AsJsonSaysWhatIsNoise) {
    const Record before = a_record("one");
    Record after = a_record("two");
    EXPECT_THAT(json_comparison(before, after),
                HasSubstr(R"({"before":"one","after":"two","figures":[{"name":"offered_rate",)"));
    const auto rate = [&] {
        const std::string all = json_comparison(before, after);
        const auto at = all.find(R"({"name":"rate")");
        return all.substr(at, all.find('}', at) - at);
    };
    EXPECT_THAT(rate(), HasSubstr(R"("before":8,"after":8,"difference":0,)"));
    EXPECT_THAT(rate(), HasSubstr(R"("noise":true)"));
    after.ok *= 20;
    EXPECT_THAT(rate(), HasSubstr(R"("after":160,"difference":19,)"));
    EXPECT_THAT(rate(), HasSubstr(R"("noise":false)"));
    EXPECT_THAT(json_comparison(Record(), Record()), HasSubstr(R"("interval":null,"noise":null})"));
}

TEST(Progress, ShowsRatesAndKeepsBackends) {
    Progress progress(60s, true, 100);
    Pulse pulse;
    pulse.step.due = pulse.step.ok = 20;
    pulse.step.backends["one"] = 20;
    pulse.open = 4;
    pulse.users = 12;
    progress.add(pulse, 10s, 2s);
    EXPECT_THAT(progress.block(), HasSubstr("10.0 ok/s"));
    EXPECT_THAT(progress.block(), HasSubstr("12 users"));
    EXPECT_THAT(progress.block(), HasSubstr("10 of 60 s"));
    Pulse next;
    next.step.throttled = 3;
    next.step.backends["two"] = 5;
    progress.add(next, 11s, 1s);
    EXPECT_THAT(progress.block(), HasSubstr("3.0 429/s"));
    EXPECT_THAT(progress.block(), HasSubstr("20 in all"));
    EXPECT_THAT(progress.line(), HasSubstr("two 5.0/s"));
}

TEST(Progress, NoLineIsWiderThanTheTerminal) {
    Progress progress(60s, true, 80);
    Pulse pulse;
    pulse.step.due = pulse.step.ok = 123'456;
    pulse.step.tokens = 123'456'789;
    for (int i = 0; i < 3; ++i)
        pulse.step.backends["a-backend-with-a-long-name-" + std::to_string(i)] = 99'999;
    progress.add(pulse, 90s, 1s);  // all is sent, and some answers are waited for
    for (const std::size_t columns : {80U, 40U}) {
        progress.resize(columns, 24);
        const std::string block = progress.block();
        std::istringstream text(block);
        std::size_t lines = 0;
        for (std::string line; std::getline(text, line); ++lines) EXPECT_LE(count_characters(line), columns);
        EXPECT_EQ(progress.rows_of(block), lines);
    }
    // What was drawn on a wider terminal takes more rows on a narrower one.
    progress.resize(80, 24);
    const std::string wide = progress.block();
    const std::size_t rows = progress.rows_of(wide);
    progress.resize(40, 24);
    EXPECT_GT(progress.rows_of(wide), rows);
}

TEST(Progress, HasFewerLinesThanTheTerminal) {
    Progress progress(60s, true, 80);
    Pulse pulse;
    for (int i = 0; i < 40; ++i) pulse.step.backends[fmt::format("backend-{:02}", i)] = 1;
    progress.add(pulse, 1s, 1s);
    const auto lines = [&](std::size_t rows) {
        progress.resize(80, rows);
        const std::string block = progress.block();
        return std::count(block.begin(), block.end(), '\n');
    };
    const auto all = lines(100);
    EXPECT_EQ(all, 46);
    EXPECT_EQ(lines(47), all);
    EXPECT_THAT(progress.block(), Not(HasSubstr("more lines")));
    EXPECT_EQ(lines(46), 45);
    EXPECT_EQ(lines(24), 23);
    EXPECT_THAT(progress.block(), HasSubstr(" … 24 more lines\n"));
    EXPECT_EQ(lines(2), 1);
}

}  // namespace
}  // namespace spillway::load
