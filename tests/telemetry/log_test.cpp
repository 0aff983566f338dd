#include "telemetry/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway::telemetry {
namespace {

TEST(Log, ReadsLevels) {
    EXPECT_EQ(parse_log_level("debug").value(), spdlog::level::debug);
    EXPECT_EQ(parse_log_level("error").value(), spdlog::level::err);
    EXPECT_EQ(parse_log_level("off").value(), spdlog::level::off);
    EXPECT_FALSE(parse_log_level("loud"));
    EXPECT_FALSE(parse_log_level(""));
}

TEST(Log, WritesToStandardErrorFromItsLevelOn) {
    testing::internal::CaptureStderr();
    const auto logger = make_logger(spdlog::level::warn);
    logger->info("quiet");
    logger->warn("loud {}", 1);
    logger->flush();
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_THAT(text, testing::HasSubstr("warning loud 1"));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("quiet")));
}

}  // namespace
}  // namespace spillway::telemetry
