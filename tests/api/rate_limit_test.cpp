#include "api/rate_limit.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace spillway::api {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

Wall at(int year, unsigned month, unsigned day, Duration time = {}) {
    return Wall(sys_days{std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day)}) + time;
}
const Wall now = at(2026, 11, 24, 21h);

http::Fields fields(std::initializer_list<http::Field> list) {
    http::Fields out;
    for (const http::Field& f : list) out.add(f.name, f.value);
    return out;
}

TEST(ParseWait, SecondsWholeAndFractional) {
    EXPECT_EQ(parse_wait("20"), 20s);
    EXPECT_EQ(parse_wait(" 20 \t"), 20s);
    EXPECT_EQ(parse_wait("0"), 0s);
    EXPECT_EQ(parse_wait("0.5"), 500ms);
    EXPECT_EQ(parse_wait("1.25"), 1250ms);
    EXPECT_EQ(parse_wait("0.0000000019"), 1ns);
    EXPECT_EQ(parse_wait(".5"), 500ms);
    EXPECT_EQ(parse_wait("86400"), 24h);
}

TEST(ParseWait, DurationsAsOpenAiWritesThem) {
    EXPECT_EQ(parse_wait("17ms"), 17ms);
    EXPECT_EQ(parse_wait("6m0s"), 6min);
    EXPECT_EQ(parse_wait("1h2m3.5s"), 1h + 2min + 3500ms);
    EXPECT_EQ(parse_wait("8.64s"), 8640ms);
    EXPECT_EQ(parse_wait("1d2h"), 26h);
    EXPECT_EQ(parse_wait("1.5ms"), 1500us);
    EXPECT_EQ(parse_wait("250us"), 250us);
    EXPECT_EQ(parse_wait("250\xc2\xb5s"), 250us);
    EXPECT_EQ(parse_wait("12ns"), 12ns);
}

TEST(ParseWait, UnreadableIsNothing) {
    for (const char* text : {"", " ", "-1", "-0.5", "+5", "abc", "1x", "1s2", "s", "m5", "1e5", "inf", "nan",
                             "0x10", "1 s", "5,0", ".", "1..2"})
        EXPECT_EQ(parse_wait(text), std::nullopt) << text;
}

TEST(ParseWait, HugeValuesSaturate) {
    EXPECT_EQ(parse_wait("99999999999999999999999999999999"), max_wait);
    EXPECT_EQ(parse_wait("31536000"), max_wait);
    EXPECT_EQ(parse_wait("31535999"), max_wait - 1s);
    EXPECT_EQ(parse_wait("9000h9000h"), max_wait);
    EXPECT_EQ(parse_wait("99999999999999999999d1s"), max_wait);
}

TEST(HttpDate, ItsThreeForms) {
    const Wall expected = at(1994, 11, 6, 8h + 49min + 37s);
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now), expected);
    EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now), expected);
    EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", now), expected);
    EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994", now), expected + 240h);
    EXPECT_EQ(parse_http_date(" Sun, 06 Nov 1994 08:49:37 GMT ", now), expected);
}

TEST(HttpDate, TwoDigitYearsLieAtMostFiftyYearsAhead) {
    EXPECT_EQ(parse_http_date("Tuesday, 24-Nov-26 21:00:05 GMT", now), now + 5s);
    EXPECT_EQ(parse_http_date("Sunday, 01-Jan-70 00:00:00 GMT", now), at(2070, 1, 1));
    EXPECT_EQ(parse_http_date("Sunday, 01-Jan-77 00:00:00 GMT", now), at(1977, 1, 1));
    EXPECT_EQ(parse_http_date("Sunday, 01-Jan-76 00:00:00 GMT", now), at(2076, 1, 1));
    EXPECT_EQ(parse_http_date("Sunday, 31-Dec-76 00:00:00 GMT", now), at(1976, 12, 31));
    // Just before the turn of the century, "05" means the next one.
    EXPECT_EQ(parse_http_date("Sunday, 01-Jan-05 00:00:00 GMT", at(1998, 6, 1)), at(2005, 1, 1));
}

TEST(HttpDate, LeapDaysAndSeconds) {
    EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT", now), at(2024, 2, 29));
    EXPECT_EQ(parse_http_date("Fri, 29 Feb 2023 00:00:00 GMT", now), std::nullopt);
    EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", now), at(2017, 1, 1));
}

TEST(HttpDate, FarYearsSaturate) {
    EXPECT_EQ(parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT", now), Wall::max());
    EXPECT_EQ(parse_http_date("Fri, 31 Dec 0001 23:59:59 GMT", now), Wall::min());
}

TEST(HttpDate, WhatIsNoDateIsNothing) {
    for (const char* text : {"",
                             "Sun",
                             "Sun,",
                             "Sun, ",
                             " ",
                             "120",
                             "Sun, 06 Nov 1994 08:49:37",
                             "Sun, 06 Nov 1994 08:49:37 CET",
                             "Sun, 06 Nov 1994 08:49:37 GMT x",
                             "Sun, 6 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Foo 1994 08:49:37 GMT",
                             "Sun, 32 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 24:00:00 GMT",
                             "Sun, 06 Nov 1994 08:60:00 GMT",
                             "Sun, 06 Nov 1994 08:00:61 GMT",
                             "Sun, 06 Nov 1994 -8:00:00 GMT",
                             "Xyz, 06 Nov 1994 08:49:37 GMT",
                             "Sunday 06-Nov-94 08:49:37 GMT",
                             "Sonntag, 06-Nov-94 08:49:37 GMT",
                             "Sun Nov 6 08:49:37 1994",
                             "2026-11-24T21:00:00Z"})
        EXPECT_EQ(parse_http_date(text, now), std::nullopt) << text;
}

TEST(RetryAfter, FollowsTheOrderOfThePolicy) {
    EXPECT_EQ(retry_after(fields({{"x-ratelimit-reset-tokens", "4"},
                                  {"x-ratelimit-reset-requests", "3"},
                                  {"Retry-After", "2"},
                                  {"retry-after-ms", "1500"}}),
                          now),
              1500ms);
    EXPECT_EQ(retry_after(fields({{"x-ratelimit-reset-tokens", "4"},
                                  {"x-ratelimit-reset-requests", "3"},
                                  {"Retry-After", "2"}}),
                          now),
              2s);
    EXPECT_EQ(
        retry_after(fields({{"x-ratelimit-reset-tokens", "4"}, {"x-ratelimit-reset-requests", "3"}}), now),
        3s);
    EXPECT_EQ(retry_after(fields({{"x-ratelimit-reset-tokens", "6m0s"}}), now), 6min);
    EXPECT_EQ(retry_after(fields({{"content-type", "application/json"}}), now), std::nullopt);
}

TEST(RetryAfter, ReadsBothSpellings) {
    EXPECT_EQ(retry_after(fields({{"x-rate-limit-reset-tokens", "55"}}), now), 55s);
    EXPECT_EQ(
        retry_after(fields({{"X-Rate-Limit-Reset-Requests", "7"}, {"x-ratelimit-reset-tokens", "5"}}), now),
        7s);
    // The first that can be read counts.
    EXPECT_EQ(
        retry_after(fields({{"x-ratelimit-reset-tokens", "-1"}, {"x-rate-limit-reset-tokens", "9"}}), now),
        9s);
}

TEST(RetryAfter, ReadsDates) {
    EXPECT_EQ(retry_after(fields({{"retry-after", "Tue, 24 Nov 2026 21:00:30 GMT"}}), now), 30s);
    EXPECT_EQ(retry_after(fields({{"retry-after", "Tue, 24 Nov 2026 20:00:00 GMT"}}), now), 0s);
    EXPECT_EQ(retry_after(fields({{"retry-after", "Tue Nov 24 21:01:00 2026"}}), now), 60s);
    EXPECT_EQ(retry_after(fields({{"retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"}}), now), max_wait);
    EXPECT_EQ(retry_after(fields({{"retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"}}), Wall::min()), max_wait);
    EXPECT_EQ(retry_after(fields({{"retry-after", "Fri, 31 Dec 0001 23:59:59 GMT"}}), now), 0s);
}

TEST(RetryAfter, PassesOverWhatIsUnreadable) {
    EXPECT_EQ(retry_after(fields({{"retry-after-ms", "soon"}, {"retry-after", "3"}}), now), 3s);
    EXPECT_EQ(
        retry_after(
            fields({{"retry-after-ms", "-5"}, {"retry-after", "-1"}, {"x-ratelimit-reset-tokens", "5"}}),
            now),
        5s);
    EXPECT_EQ(retry_after(fields({{"retry-after", "later"}}), now), std::nullopt);
    EXPECT_EQ(retry_after(fields({{"retry-after", ""}}), now), std::nullopt);
}

TEST(RetryAfter, ZeroIsAnAnswerButAResetOfZeroIsNot) {
    EXPECT_EQ(retry_after(fields({{"retry-after", "0"}}), now), 0s);
    EXPECT_EQ(retry_after(fields({{"retry-after-ms", "0"}, {"retry-after", "9"}}), now), 0s);
    EXPECT_EQ(
        retry_after(fields({{"x-ratelimit-reset-requests", "0"}, {"x-ratelimit-reset-tokens", "12"}}), now),
        12s);
    EXPECT_EQ(retry_after(fields({{"x-ratelimit-reset-tokens", "0"}}), now), std::nullopt);
}

TEST(RetryAfter, FractionsAndADayAreTakenAsTold) {
    EXPECT_EQ(retry_after(fields({{"retry-after-ms", "12.5"}}), now), 12500us);
    EXPECT_EQ(retry_after(fields({{"Retry-After", "1.5"}}), now), 1500ms);
    EXPECT_EQ(retry_after(fields({{"Retry-After", "86400"}}), now), 24h);
    EXPECT_EQ(retry_after(fields({{"retry-after-ms", "999999999999999999999999"}}), now), max_wait);
}

TEST(RateLimits, AzureAndOpenAi) {
    const RateLimits azure = read_rate_limits(fields({{"x-ratelimit-limit-requests", "120"},
                                                      {"x-ratelimit-limit-tokens", "20000"},
                                                      {"X-RateLimit-Remaining-Requests", "19"},
                                                      {"x-ratelimit-remaining-tokens", "19913"},
                                                      {"x-ratelimit-reset-requests", "1"},
                                                      {"x-ratelimit-reset-tokens", "17ms"},
                                                      {"azure-openai-deployment-utilization", "12.3%"}}));
    EXPECT_EQ(azure.limit_requests, 120);
    EXPECT_EQ(azure.limit_tokens, 20000);
    EXPECT_EQ(azure.remaining_requests, 19);
    EXPECT_EQ(azure.remaining_tokens, 19913);
    EXPECT_EQ(azure.reset_requests, 1s);
    EXPECT_EQ(azure.reset_tokens, 17ms);
    ASSERT_TRUE(azure.ptu_utilization);
    EXPECT_NEAR(*azure.ptu_utilization, 12.3, 1e-9);
}

TEST(RateLimits, TheOtherSpelling) {
    const RateLimits r = read_rate_limits(fields({{"x-rate-limit-limit-requests", "1"},
                                                  {"x-rate-limit-limit-tokens", "2"},
                                                  {"x-rate-limit-remaining-requests", "3"},
                                                  {"x-rate-limit-remaining-tokens", "4"},
                                                  {"x-rate-limit-reset-requests", "5"},
                                                  {"x-rate-limit-reset-tokens", "6"}}));
    EXPECT_EQ(r.limit_requests, 1);
    EXPECT_EQ(r.limit_tokens, 2);
    EXPECT_EQ(r.remaining_requests, 3);
    EXPECT_EQ(r.remaining_tokens, 4);
    EXPECT_EQ(r.reset_requests, 5s);
    EXPECT_EQ(r.reset_tokens, 6s);
}

TEST(RateLimits, SentinelsAreUnknownNotZero) {
    const RateLimits r = read_rate_limits(fields({{"x-ratelimit-reset-tokens", "0"},
                                                  {"x-ratelimit-limit-tokens", "-1"},
                                                  {"x-ratelimit-remaining-tokens", "-1"},
                                                  {"x-ratelimit-reset-requests", "0"},
                                                  {"x-ratelimit-remaining-requests", "-1"}}));
    EXPECT_EQ(r.limit_tokens, std::nullopt);
    EXPECT_EQ(r.remaining_tokens, std::nullopt);
    EXPECT_EQ(r.reset_tokens, std::nullopt);
    EXPECT_EQ(r.remaining_requests, std::nullopt);
    EXPECT_EQ(r.reset_requests, std::nullopt);
    // With a real limit beside it, a reset of 0 is one.
    const RateLimits full =
        read_rate_limits(fields({{"x-ratelimit-limit-tokens", "100"}, {"x-ratelimit-reset-tokens", "0s"}}));
    EXPECT_EQ(full.reset_tokens, 0s);
}

TEST(RateLimits, NonIntegersDoNotThrow) {
    const RateLimits r = read_rate_limits(fields({{"x-ratelimit-limit-requests", "many"},
                                                  {"x-ratelimit-limit-tokens", "20000.7"},
                                                  {"x-ratelimit-remaining-requests", ""},
                                                  {"x-ratelimit-remaining-tokens", "99999999999999999999999"},
                                                  {"x-ratelimit-reset-requests", "??"},
                                                  {"x-ratelimit-", "1"},
                                                  {"azure-openai-deployment-utilization", "full"}}));
    EXPECT_EQ(r.limit_requests, std::nullopt);
    EXPECT_EQ(r.limit_tokens, 20000);
    EXPECT_EQ(r.remaining_requests, std::nullopt);
    EXPECT_GE(r.remaining_tokens.value_or(0), 1'000'000'000'000);
    EXPECT_EQ(r.reset_requests, std::nullopt);
    EXPECT_EQ(r.ptu_utilization, std::nullopt);
    EXPECT_EQ(read_rate_limits(fields({{"azure-openai-deployment-utilization", "101"}})).ptu_utilization,
              101.0);
    EXPECT_EQ(read_rate_limits(fields({{"azure-openai-deployment-utilization", "-1%"}})).ptu_utilization,
              std::nullopt);
}

}  // namespace
}  // namespace spillway::api
