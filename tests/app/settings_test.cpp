#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/stack_settings.hpp"

namespace spillway::app::stack {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Settings, HaveDefaults) {
    const Settings s = settings_from({}).value();
    EXPECT_EQ(s.capacity, 30U);
    EXPECT_EQ(s.tokens_per_minute(), 30'000U);
    EXPECT_EQ(s.requests_per_minute(), 180U);
    EXPECT_EQ(s.port, 8080);
    EXPECT_EQ(s.admin_port, 8081);
    EXPECT_EQ(s.emulator_admin_port, 9100);
    EXPECT_EQ(s.emulator_base_port, 9101);
    EXPECT_EQ(s.gateway_url(), "http://127.0.0.1:8080");
    EXPECT_EQ(s.chat_url(), "http://127.0.0.1:8082");
}

TEST(Settings, AreTakenFromValues) {
    const Settings s = settings_from({{"OPENAI_CAPACITY", "50"},
                                      {"SPILLWAY_PORT", "1"},
                                      {"SPILLWAY_ADMIN_PORT", "65535"},
                                      {"SPILLWAY_EMULATOR_ADMIN_PORT", "2"},
                                      {"SPILLWAY_EMULATOR_BASE_PORT", "3"},
                                      {"SPILLWAY_API_KEY", "12345678"}})
                           .value();
    EXPECT_EQ(s.capacity, 50U);
    EXPECT_EQ(s.port, 1);
    EXPECT_EQ(s.admin_port, 65535);
    EXPECT_EQ(s.emulator_admin_port, 2);
    EXPECT_EQ(s.emulator_base_port, 3);
    EXPECT_EQ(s.api_key.reveal(), "12345678");
}

TEST(Settings, NumbersAreRefusedOutOfTheirRange) {
    for (const char* bad : {"0", "-1", "", "65536", "80x", "8.5", " 80", "+80", "99999999999999999999"})
        EXPECT_FALSE(check_setting("SPILLWAY_PORT", bad)) << bad;
    for (const char* bad : {"0", "-1", "", "1.5", "many", "10000001", "4294967297"})
        EXPECT_FALSE(check_setting("OPENAI_CAPACITY", bad)) << bad;
    EXPECT_EQ(check_setting("OPENAI_CAPACITY", "007").value(), "7");
    EXPECT_THAT(check_setting("SPILLWAY_PORT", "70000").error().message, HasSubstr("1 to 65535"));
}

TEST(Settings, KeysAreRefusedWithoutShowingThem) {
    for (const std::string& bad : {std::string("short"), std::string("with blank"), std::string("with\nline"),
                                   std::string("with-\xc3\xa9"), std::string(257, 'a')}) {
        const auto result = check_setting("SPILLWAY_API_KEY", bad);
        ASSERT_FALSE(result.has_value()) << bad;
        EXPECT_THAT(result.error().message, Not(HasSubstr(bad)));
    }
    EXPECT_TRUE(check_setting("SPILLWAY_API_KEY", R"(quo"te$d`)"));
}

TEST(Settings, UnknownNamesAreRefusedWithTheKnownOnes) {
    const auto result = check_setting("OPENAI_CAPCITY", "50");
    ASSERT_FALSE(result.has_value());
    EXPECT_THAT(result.error().message, HasSubstr("OPENAI_CAPACITY"));
    EXPECT_THAT(check_setting("APIM_GATEWAY_URL", "http://x").error().message, HasSubstr("SPILLWAY_PORT"));
    EXPECT_THAT(check_setting("SPILLWAY_CHAT_URL", "http://x").error().message,
                HasSubstr("SPILLWAY_CHAT_PORT"));
    EXPECT_FALSE(settings_from({{"FOO", "1"}}));
}

TEST(Settings, NoPortIsWantedTwice) {
    EXPECT_THAT(settings_from({{"SPILLWAY_PORT", "8081"}}).error().message, HasSubstr("8081"));
    EXPECT_THAT(settings_from({{"SPILLWAY_CHAT_PORT", "8081"}}).error().message, HasSubstr("8081"));
    EXPECT_THAT(settings_from({{"SPILLWAY_EMULATOR_ADMIN_PORT", "9103"}}).error().message, HasSubstr("9103"));
    EXPECT_TRUE(settings_from({{"SPILLWAY_EMULATOR_ADMIN_PORT", "9104"}}));
    EXPECT_FALSE(settings_from({{"SPILLWAY_EMULATOR_BASE_PORT", "65534"}}));
    EXPECT_TRUE(settings_from({{"SPILLWAY_EMULATOR_BASE_PORT", "65533"}}));
}

TEST(Settings, StackNamesCannotLeaveTheirFolder) {
    for (const char* good : {"local", "a", "test-2.b_c", "9"}) EXPECT_TRUE(is_stack_name(good)) << good;
    for (const char* bad : {"", ".", "..", "../x", "a/b", "-e", ".hidden", "a b"})
        EXPECT_FALSE(is_stack_name(bad)) << bad;
    EXPECT_FALSE(is_stack_name(std::string(65, 'a')));
}

TEST(Settings, KeysAreMadeAtRandom) {
    const std::string key = make_key();
    EXPECT_EQ(key.size(), 64U);
    EXPECT_EQ(key.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_NE(key, make_key());
}

}  // namespace
}  // namespace spillway::app::stack
