#include "gateway/stored_key.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

namespace spillway::gateway {
namespace {

using config::KeySettings;

/// What a request may say, of all kinds.
KeySettings any_settings(std::mt19937& random) {
    const auto one_of = [&](auto... values) {
        const std::array all{values...};
        return all[random() % all.size()];
    };
    const auto text = [&] {
        return std::string(one_of("", "a", "\"quoted\" \\ and /", "Grüße, 안녕 😀", "null"));
    };
    const auto count = [&] {
        return one_of(std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{30'000},
                      std::uint64_t{4'000'000'000});
    };
    const auto money = [&] { return one_of(0.0, 0.01, 12.5, 10'000'000.0); };
    KeySettings out;
    out.client = one_of("app", "made-1");
    out.team = one_of("", "blue");
    out.name = text();
    out.note = text();
    for (auto i = random() % 3; i > 0; --i) out.deployments.emplace_back("gpt-" + std::to_string(i));
    if (random() % 2 == 0) return out;
    out.limits.tokens_per_minute = count();
    out.limits.requests_per_minute = count();
    out.limits.concurrency = random() % 100;
    out.limits.tokens = {count(), count(), count(), count()};
    out.limits.budget = {money(), money(), money(), money()};
    out.limits.shadow = random() % 2 == 0;
    return out;
}

TEST(StoredKey, WhatIsWrittenIsReadStraightThroughAndAsARequestIs) {
    std::mt19937 random(7);
    for (int i = 0; i < 500; ++i) {
        const KeySettings written = any_settings(random);
        const std::string json = config::key_settings_json(written);
        EXPECT_EQ(read_plain_settings(json), written) << json;
        const auto request = config::read_key_request(json, {}, {});
        ASSERT_TRUE(request.value) << json << config::to_string(request.problems);
        EXPECT_EQ(request.value->settings, written) << json;
    }
}

TEST(StoredKey, WhatSomebodyElseWroteIsReadAsARequest) {
    for (const std::string_view json :
         {R"({"client": "app"})", R"({"note":"x","client":"app"})", R"({"client":"app","name":null})",
          R"({"client":"app","limits":{"tokens_per_minute":"30"}})"}) {
        EXPECT_FALSE(read_plain_settings(json)) << json;
        const auto read = read_stored_settings(json);
        ASSERT_TRUE(read.value) << json;
        EXPECT_EQ(read.value->client, "app");
    }
}

TEST(StoredKey, WhatIsWrongIsToldAsOfARequest) {
    for (const std::string_view json :
         {R"({"client":"app","new_setting":1})", R"({"client":"app","client":"other"})", R"({"client":"app")",
          R"({"client":"app","limits":{"concurrency":-1}})",
          R"({"client":"app","limits":{"requests_per_minute":4000000001}})", "[]"}) {
        const auto read = read_stored_settings(json);
        EXPECT_FALSE(read.value) << json;
        EXPECT_FALSE(read.problems.empty()) << json;
    }
}

}  // namespace
}  // namespace spillway::gateway
