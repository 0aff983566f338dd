#include "app/top_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway::app::top {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view backends = R"({"backends":[
 {"name":"spare","url":"http://b","state":"available","until":null,"seconds_left":0,"reason":"","priority":2,
  "weight":1,"in_flight":3,"served":40,"throttled":0,"failed":0,"deployments":[]},
 {"name":"first\u001b[2J","url":"http://a","state":"throttled","until":"2025-01-31T23:59:59Z","seconds_left":12.4,
  "reason":"429","priority":1,"weight":2,"in_flight":0,"served":100,"throttled":5,"failed":1,
  "deployments":[{"name":"gpt-4o","state":"throttled","until":null,"seconds_left":0,"tpm":30000,"rpm":180,
   "remaining_tokens":1500,"remaining_requests":20,"reserved_tokens":1000,"in_flight":0},
   {"name":"new","tpm":null,"remaining_tokens":null,"reserved_tokens":0}]}]})";

Frame frame(std::uint64_t served) {
    Frame f;
    f.backends = read_backends(backends).value();
    f.backends[0].served = served;
    f.taken = Mono(std::chrono::seconds(served));
    return f;
}

TEST(TopView, ShowsStateQuotaAndCounts) {
    const std::string text = draw(frame(40), nullptr, {});
    EXPECT_THAT(text, HasSubstr("throttled      12 s"));
    EXPECT_THAT(text, HasSubstr(" 95 %  1,500 of 30,000 tokens left, 1,000 reserved"));
    EXPECT_THAT(text, HasSubstr("quota not known"));
    EXPECT_LT(text.find("first"), text.find("spare")) << "by priority";
    EXPECT_THAT(text, Not(HasSubstr("\x1b"))) << "no escape sequences, not even those of a name";
    EXPECT_THAT(text, Not(HasSubstr("CLIENT")));
}

TEST(TopView, RatesComeFromTheFrameBefore) {
    const Frame before = frame(40);
    EXPECT_THAT(draw(frame(44), &before, {}), HasSubstr("     1.0     0.0     0.0         44"));
    const Frame restarted = frame(100);
    EXPECT_THAT(draw(frame(44), &restarted, {}), HasSubstr("      –       –       –         44"));
}

TEST(TopView, ShowsClients) {
    Frame f = frame(40);
    f.clients =
        read_clients(R"({"clients":[{"kind":"client","name":"web","in_flight":2,"tokens_last_minute":1234567,
        "refused":3,"tokens_per_minute":{"limit":2000000,"used":1234567,"shared":false},"later":[1]}]})")
            .value();
    const std::string text = draw(f, nullptr, {});
    EXPECT_THAT(text, HasSubstr("1,234,567"));
    EXPECT_THAT(text, HasSubstr("1,234,567 of 2,000,000 tokens a minute"));
}

TEST(TopView, ColoursOnlyWhenAsked) {
    EXPECT_THAT(draw(frame(1), nullptr, {100, true}), HasSubstr("\x1b[33mthrottled"));
}

TEST(TopView, RefusesWhatIsNoList) {
    for (const char* bad : {"", "{}", "[]", R"({"backends":3})", R"({"backends":[3]})", R"({"backends":[)"})
        EXPECT_FALSE(read_backends(bad)) << bad;
    EXPECT_TRUE(read_backends(R"({"backends":[]})"));
}

}  // namespace
}  // namespace spillway::app::top
