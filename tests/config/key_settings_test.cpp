#include "config/key_settings.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace spillway::config {
namespace {

const Wall kNow(std::chrono::hours(500'000));

Loaded<KeyRequest> read(std::string_view json) {
    return read_key_request(json, {}, kNow);
}

TEST(KeySettings, AKeyLivesForDaysOrUntilATime) {
    using std::chrono::hours;
    EXPECT_EQ(read(R"({"expires_in":"90d"})").value->expires, kNow + hours(24 * 90));
    EXPECT_EQ(read(R"({"expires_in":"12h"})").value->expires, kNow + hours(12));
    EXPECT_EQ(read(R"({"overlap":"1d"})").value->overlap, hours(24));
    EXPECT_EQ(read(R"({"expires":"1970-01-02"})").value->expires, Wall(hours(24)));
    EXPECT_EQ(read(R"({"expires":"1970-01-01T00:00:01Z"})").value->expires, Wall(std::chrono::seconds(1)));
    EXPECT_TRUE(read(R"({"expires":"never"})").value->never_expires);
    EXPECT_GT(read(R"({"expires":"9999-12-31"})").value->expires, kNow + hours(24 * 365 * 100));
    for (const char* bad :
         {R"({"expires_in":"-1d"})", R"({"expires_in":"4294967295d"})", R"({"expires_in":"0s"})",
          R"({"expires_in":"soon"})", R"({"expires":"tomorrow"})", R"({"overlap":"1.5d"})"})
        EXPECT_FALSE(read(bad).value) << bad;
}

TEST(KeySettings, WhatIsWrongIsSaid) {
    const auto unknown = read(R"({"client":"app","budget":1})");
    ASSERT_FALSE(unknown.value);
    EXPECT_NE(to_string(unknown.problems).find("budget"), std::string::npos);
    EXPECT_FALSE(read(R"({"client":"a b"})").value);
    EXPECT_FALSE(read("[").value);
}

TEST(KeySettings, AreWrittenAsTheyAreRead) {
    constexpr std::string_view text =
        R"({"client":"app","team":"red","name":"ci","note":"n","deployments":["a","b"],)"
        R"("limits":{"tokens_per_minute":100,"tokens":{"day":5},"budget":{"month":2.5}}})";
    const auto first = read(text);
    ASSERT_TRUE(first.value) << to_string(first.problems);
    const std::string written = key_settings_json(first.value->settings);
    EXPECT_EQ(read(written).value->settings, first.value->settings) << written;
}

TEST(KeySettings, MoneyIsKeptToItsLastDigit) {
    for (const char* budget : {"0.000001", "1234567.89", "1e7", "10000000", "2.5"}) {
        const auto first =
            read(fmt::format(R"({{"client":"app","limits":{{"budget":{{"month":{}}}}}}})", budget));
        ASSERT_TRUE(first.value) << budget << to_string(first.problems);
        const auto again = read(key_settings_json(first.value->settings));
        ASSERT_TRUE(again.value) << budget << to_string(again.problems);
        EXPECT_EQ(again.value->settings.limits.budget.month, std::stod(budget));
    }
}

TEST(KeySettings, NullTakesAway) {
    const auto start = read(R"({"client":"app","team":"red","name":"ci","note":"n","deployments":["a"]})");
    ASSERT_TRUE(start.value) << to_string(start.problems);
    const auto changed =
        read_key_request(R"({"team":null,"name":null,"note":null,"deployments":null})", *start.value, kNow);
    ASSERT_TRUE(changed.value) << to_string(changed.problems);
    EXPECT_EQ(key_settings_json(changed.value->settings), R"({"client":"app"})");
    EXPECT_FALSE(read(R"({"client":null})").value);
}

TEST(KeySettings, NothingOfARequestIsReadFromThisMachine) {
    EXPECT_FALSE(read(R"({"client":"app","key_file":"/etc/hostname"})").value);
    EXPECT_FALSE(read(R"({"client":"app","key_env":"PATH"})").value);
}

}  // namespace
}  // namespace spillway::config
