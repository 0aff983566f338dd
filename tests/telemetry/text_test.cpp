#include "telemetry/text.hpp"

#include <gtest/gtest.h>

#include "base/written.hpp"

namespace spillway::telemetry {
namespace {

using namespace std::chrono_literals;
using test::written;

std::string target(std::string_view s, std::size_t most = 1000) {
    return written([&](Pen& pen) { append_json_target(pen, s, most); });
}

TEST(Text, MasksQueryValues) {
    EXPECT_EQ(target("/openai/deployments/d/chat/completions?api-version=2024-06-01"),
              "/openai/deployments/d/chat/completions?api-version=2024-06-01");
    EXPECT_EQ(target("/v1/x?subscription-key=SECRET&deployment=d&api-version=1&sig=a%3Db=c"),
              "/v1/x?subscription-key=***&deployment=d&api-version=1&sig=***");
    EXPECT_EQ(target("/v1/x?SECRET"), "/v1/x?***");
    EXPECT_EQ(target("/v1/x?a=1&SECRET&&b"), "/v1/x?a=***&***&***&***");
    EXPECT_EQ(target("/v1/x?"), "/v1/x");
    EXPECT_EQ(target("/a\"b?c\"=1"), "/a\\\"b?c\\\"=***");
}

TEST(Text, LeavesOutSchemeAndAuthority) {
    EXPECT_EQ(target("http://user:SECRET@host/v1/x?a=SECRET"), "/v1/x?a=***");
    EXPECT_EQ(target("HTTPS://host?a=1"), "?a=***");
    EXPECT_EQ(target("https://host"), "/");
    EXPECT_EQ(target("*"), "*");
}

TEST(Text, BoundsTheQuery) {
    std::string query = "/?";
    for (int i = 0; i < 1000; ++i) query += "x=1&";
    const std::string text = target(query, 100);
    EXPECT_LT(text.size(), 120U);
    EXPECT_TRUE(text.ends_with("\xE2\x80\xA6"));
}

TEST(Text, PrintsMilliseconds) {
    const auto ms = [](Duration d) { return written([d](Pen& pen) { append_milliseconds(pen, d); }); };
    EXPECT_EQ(ms(0ns), "0.000");
    EXPECT_EQ(ms(1'234'567ns), "1.234");
    EXPECT_EQ(ms(65s + 7us), "65000.007");
    EXPECT_EQ(ms(-5ms), "0.000");
}

TEST(Text, PrintsRfc3339) {
    Rfc3339 stamp;
    const auto print = [&](Wall t) {
        std::string out;
        stamp.append(out, t);
        return out;
    };
    const Wall day = std::chrono::sys_days(std::chrono::year(2024) / 2 / 29);
    EXPECT_EQ(print(day), "2024-02-29T00:00:00.000Z");
    EXPECT_EQ(print(day + 23h + 59min + 59s + 999'999us), "2024-02-29T23:59:59.999Z");
    EXPECT_EQ(print(day + 23h + 59min + 59s + 7ms), "2024-02-29T23:59:59.007Z");
    EXPECT_EQ(print(day + 24h), "2024-03-01T00:00:00.000Z");
    EXPECT_EQ(print(Wall(-1ms)), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace spillway::telemetry
