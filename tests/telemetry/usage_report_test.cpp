#include "telemetry/usage_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace spillway::telemetry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const Wall kNoon = std::chrono::sys_days(std::chrono::year(2025) / 1 / 31) + 12h;

TEST(UsageReport, GroupsByName) {
    const auto groups = parse_groups("client, hour,user").value();
    EXPECT_TRUE(groups.client && groups.hour && groups.user);
    EXPECT_FALSE(groups.team || groups.deployment || groups.backend || groups.model);
    EXPECT_FALSE(parse_groups("").value().client);
    EXPECT_FALSE(parse_groups("clients"));
    EXPECT_FALSE(parse_groups("client,,user"));
}

TEST(UsageReport, MomentsInEachForm) {
    EXPECT_EQ(parse_moment("24h", kNoon).value(), kNoon - 24h);
    EXPECT_EQ(parse_moment("30m", kNoon).value(), kNoon - 30min);
    EXPECT_EQ(parse_moment("7d", kNoon).value(), kNoon - 168h);
    EXPECT_EQ(parse_moment("5s", kNoon).value(), kNoon - 5s);
    EXPECT_EQ(parse_moment("2025-01-31", kNoon).value(), kNoon - 12h);
    EXPECT_EQ(parse_moment("2025-01-31T12:00:01Z", kNoon).value(), kNoon + 1s);
    EXPECT_EQ(parse_moment("1738324800", kNoon).value(), kNoon);
    for (const auto* wrong : {"", "h", "x", "2025-02-30", "2025-1-31", "2025-01-31T12:00:01",
                              "2025-01-31T25:00:00Z", "-1h", "999999h", "2025/01/31", "2020"})
        EXPECT_FALSE(parse_moment(wrong, kNoon)) << wrong;
}

UsageQuery query() {
    UsageQuery q;
    q.from = kNoon;
    q.to = kNoon + 1h;
    q.by = {.client = true, .hour = true};
    return q;
}

UsageTotal total() {
    UsageTotal t;
    t.client = "a\"b";
    t.time = kNoon;
    t.requests = 3;
    t.prompt_tokens = 1000;
    t.refused = 1;
    t.throttled = 4;
    t.spilled = 2;
    t.avoided = 0.75;
    t.cost = 12'345'678;
    t.mean_ms = 1.25;
    return t;
}

TEST(UsageReport, Json) {
    const std::array totals{total(), total()};
    const std::string one =
        R"({"hour":"2025-01-31T12:00:00.000Z","client":"a\"b","requests":3,"failed":0,"estimated":0,)"
        R"("prompt_tokens":1000,"completion_tokens":0,"cached_tokens":0,"reasoning_tokens":0,"charged_tokens":0,)"
        R"("refused":1,"throttled":4,"spilled":2,"avoided":0.750,"cost":1.2345678,"mean_ms":1.250,"p50_ms":null,"p95_ms":null})";
    EXPECT_EQ(usage_json(query(), totals),
              R"({"from":"2025-01-31T12:00:00.000Z","to":"2025-01-31T13:00:00.000Z","usage":[)" + one + "," +
                  one + "]}\n");
    EXPECT_THAT(usage_json(query(), {}), HasSubstr("\"usage\":[]}"));
}

TEST(UsageReport, Table) {
    const std::array totals{total()};
    EXPECT_EQ(usage_table(query(), totals),
              "hour                      client  requests  failed  estimated  prompt  completion  cached  "
              "reasoning  "
              "charged    cost  mean ms\n"
              "2025-01-31T12:00:00.000Z  a\"b            3       0          0    1000           0       0    "
              "      0  "
              "      0  1.2346      1.2\n");
}

}  // namespace
}  // namespace spillway::telemetry
