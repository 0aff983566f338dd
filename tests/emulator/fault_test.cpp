// Faults: what the admin port takes, and which request meets which.
#include "emulator/fault.hpp"

#include <gtest/gtest.h>

namespace spillway::emulator {
namespace {

using namespace std::chrono_literals;
const Mono t0{1h};

Fault fault(std::string_view json) {
    auto f = parse_fault(json);
    EXPECT_TRUE(f.has_value()) << json << ": " << (f ? "" : f.error().message);
    return f ? *f : Fault{};
}

TEST(Fault, IsReadWithAllItsParts) {
    const Fault f = fault(R"({"resource":2,"kind":"429","seconds":1.5,"count":3,"retry_after":7,
        "headers":{"X-Rate-Limit-Reset-Tokens":"55"},"message":"no","deployment":"gpt-4o","share":0.5})");
    EXPECT_EQ(f.resource, 2U);
    EXPECT_EQ(f.kind, FaultKind::status);
    EXPECT_EQ(f.status, 429U);
    EXPECT_EQ(f.seconds, 1.5);
    EXPECT_EQ(f.count, 3U);
    EXPECT_EQ(f.retry_after, 7.0);
    EXPECT_EQ(f.headers.at("x-rate-limit-reset-tokens"), "55");
    EXPECT_EQ(f.deployment, "gpt-4o");
    EXPECT_EQ(fault(R"({"kind":"cut","after_chunks":5})").after_chunks, 5U);
    EXPECT_EQ(fault(R"({"kind":503})").status, 503U);
    EXPECT_EQ(fault(R"({"resource":"east","kind":"hang"})").resource_name, "east");
}

TEST(Fault, OfA429HasARetryAfterUnlessToldNot) {
    EXPECT_EQ(fault(R"({"kind":"429"})").retry_after, 10.0);
    EXPECT_FALSE(fault(R"({"kind":"429","retry_after":"none"})").retry_after);
    EXPECT_FALSE(fault(R"({"kind":"503"})").retry_after);
}

TEST(Fault, RefusesWhatItDoesNotKnow) {
    for (const std::string_view bad :
         {"", "[]", "{}", R"({"resource":1})", R"({"kind":"explode"})", R"({"kind":"199"})",
          R"({"kind":"200"})", R"({"kind":"200","error":"x"})", R"({"kind":"silence","phase":"end"})",
          R"({"kind":"600"})", R"({"kind":"cut","after_chunk":1})", R"({"kind":"cut","seconds":-1})",
          R"({"kind":"cut","count":0})", R"({"kind":"cut","resource":0})",
          R"({"kind":"429","retry_after":"soon"})", R"({"kind":"429","headers":{"a b":"c"}})",
          R"({"kind":"429","headers":{"a":"b\r\nc: d"}})",
          R"({"kind":"429","headers":{"Content-Length":"1"}})", R"({"kind":"429","share":2})"})
        EXPECT_FALSE(parse_fault(bad).has_value()) << bad;
}

TEST(FaultBoard, EndsByCountAndByTime) {
    FaultBoard board;
    Rng rng(1);
    board.set(fault(R"({"kind":"500","count":2})"), t0);
    EXPECT_TRUE(board.meet("d", false, {}, t0, rng));
    EXPECT_TRUE(board.meet("d", false, {}, t0, rng));
    EXPECT_FALSE(board.meet("d", false, {}, t0, rng));
    board.set(fault(R"({"kind":"500","seconds":5})"), t0);
    EXPECT_TRUE(board.meet("d", false, {}, t0 + 4999ms, rng));
    EXPECT_FALSE(board.meet("d", false, {}, t0 + 5s, rng));
    board.set(fault(R"({"kind":"500"})"), t0);
    EXPECT_TRUE(board.meet("d", false, {}, t0 + 24h, rng));
    board.clear();
    EXPECT_FALSE(board.meet("d", false, {}, t0 + 24h, rng));
}

TEST(FaultBoard, PrefersTheLatestAndNarrowsByDeploymentAndStream) {
    FaultBoard board;
    Rng rng(1);
    board.set(fault(R"({"kind":"500"})"), t0);
    board.set(fault(R"({"kind":"503","deployment":"a"})"), t0);
    board.set(fault(R"({"kind":"stream_error","count":1})"), t0);
    EXPECT_EQ(board.meet("a", false, {}, t0, rng)->status, 503U);
    EXPECT_EQ(board.meet("b", false, {}, t0, rng)->status, 500U);
    EXPECT_EQ(board.meet("b", true, {}, t0, rng)->kind, FaultKind::stream_error);
    EXPECT_EQ(board.meet("b", true, {}, t0, rng)->status, 500U);
}

TEST(FaultBoard, MeetsAShareOfTheRequests) {
    FaultBoard board;
    Rng rng(1);
    board.set(fault(R"({"kind":"500","share":0.25})"), t0);
    int met = 0;
    for (int i = 0; i < 4000; ++i) met += board.meet("d", false, {}, t0, rng) ? 1 : 0;
    EXPECT_NEAR(met, 1000, 120);
}

TEST(FaultBoard, SaysUntilWhenNobodyIsLetIn) {
    FaultBoard board;
    EXPECT_FALSE(board.refusing_until(t0));
    board.set(fault(R"({"kind":"refuse","count":1})"), t0);
    EXPECT_FALSE(board.refusing_until(t0)) << "counted ones are met by requests";
    board.set(fault(R"({"kind":"refuse","seconds":3})"), t0);
    EXPECT_EQ(board.refusing_until(t0), t0 + 3s);
    EXPECT_FALSE(board.refusing_until(t0 + 3s));
    board.set(fault(R"({"kind":"refuse"})"), t0);
    EXPECT_EQ(board.refusing_until(t0), Mono::max());
}

}  // namespace
}  // namespace spillway::emulator
