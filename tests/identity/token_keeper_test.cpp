#include "identity/token_keeper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "identity/key_schedule.hpp"

namespace spillway::identity {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const Wall kNow{1'700'000'000s};

Token token_for(std::string value, Wall now, Duration life, Duration refresh) {
    return {std::move(value), now + life, now + refresh};
}

TEST(TokenSchedule, FetchesAheadOfTheEndWithJitter) {
    Rng rng(1);
    TokenSchedule schedule;
    EXPECT_TRUE(schedule.due(kNow));
    std::vector<Duration> waits;
    for (int i = 0; i < 50; ++i) {
        schedule.fetched(token_for("t", kNow, 3600s, 3300s), kNow, rng);
        waits.push_back(schedule.wait(kNow));
        EXPECT_GT(waits.back(), 3240s - 1ns);
        EXPECT_LE(waits.back(), 3300s);
    }
    EXPECT_GT(*std::ranges::max_element(waits) - *std::ranges::min_element(waits), 20s);
    EXPECT_FALSE(schedule.due(kNow + 3239s));
    EXPECT_TRUE(schedule.due(kNow + 3300s));
}

TEST(TokenSchedule, ASourceThatRepeatsItselfIsNotStormed) {
    Rng rng(1);
    TokenSchedule schedule;
    schedule.fetched(token_for("t", kNow, 2ms, 1ms), kNow, rng);
    EXPECT_FALSE(schedule.due(kNow + 999ms));
}

TEST(TokenSchedule, WaitsLongerAfterEachFailureUpToAMost) {
    Rng rng(1);
    TokenSchedule schedule;
    Duration last{};
    for (int i = 0; i < 4; ++i) {
        schedule.failed(kNow, rng);
        EXPECT_GT(schedule.wait(kNow), last);
        last = schedule.wait(kNow);
    }
    for (int i = 0; i < 40; ++i) schedule.failed(kNow, rng);
    EXPECT_GE(schedule.wait(kNow), 22s);
    EXPECT_LE(schedule.wait(kNow), 38s);
    schedule.fetched(token_for("t", kNow, 3600s, 3300s), kNow, rng);
    schedule.failed(kNow, rng);
    EXPECT_LE(schedule.wait(kNow), 1250ms);
}

TEST(TokenSchedule, ARefusalFetchesOnceAndNotForAYoungToken) {
    Rng rng(1);
    TokenSchedule schedule;
    schedule.fetched(token_for("t", kNow, 3600s, 3300s), kNow, rng);
    EXPECT_FALSE(schedule.refused(kNow + 9s));
    EXPECT_FALSE(schedule.due(kNow + 9s));
    EXPECT_TRUE(schedule.refused(kNow + 10s));
    EXPECT_TRUE(schedule.due(kNow + 10s));
    schedule.failed(kNow + 11s, rng);
    EXPECT_FALSE(schedule.refused(kNow + 11s));  // the failure's wait counts
}

TEST(LastUse, IsALittleBeforeTheEnd) {
    EXPECT_EQ(last_use(token_for("t", kNow, 3600s, 1s), kNow), kNow + 3595s);
    EXPECT_EQ(last_use(token_for("t", kNow, 2s, 1s), kNow), kNow + 1900ms);
}

TEST(KeySchedule, AsksAtMostOnceASecondWhateverIsWanted) {
    Rng rng(1);
    KeySchedule schedule;
    const Mono start{100s};
    EXPECT_TRUE(schedule.due(start));
    int fetches = 0;
    for (Mono now = start; now < start + 10s; now += 1ms) {
        schedule.wanted();
        if (!schedule.due(now)) continue;
        ++fetches;
        schedule.began(now);
        schedule.fetched(now + 5ms, rng);
    }
    EXPECT_EQ(fetches, 10);
}

TEST(KeySchedule, RestsWhenAllIsWellAndBacksOffWhenNot) {
    Rng rng(1);
    KeySchedule schedule;
    const Mono now{100s};
    schedule.began(now);
    schedule.fetched(now, rng);
    EXPECT_GE(schedule.wait(now), 48min);
    EXPECT_LE(schedule.wait(now), 60min);
    schedule.wanted();
    EXPECT_EQ(schedule.wait(now), 1s);
    for (int i = 0; i < 9; ++i) schedule.failed(now, rng);
    EXPECT_GE(schedule.wait(now), 45s);
    EXPECT_LE(schedule.wait(now), 75s);
}

TEST(PublishedText, IsReadAsItWasAtOneMoment) {
    PublishedText text;
    std::string empty = "x";
    text.append_to(empty);
    EXPECT_EQ(empty, "x");
    EXPECT_FALSE(text.set(std::string(PublishedText::kMostBytes + 1, 'a')));
    const std::string a(1501, 'a');
    const std::string b(2203, 'b');
    ASSERT_TRUE(text.set(a));
    std::jthread writer([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            text.set(b);
            std::this_thread::sleep_for(20us);
            text.set(a);
            std::this_thread::sleep_for(20us);
        }
    });
    for (int i = 0; i < 5'000; ++i) {
        std::string read;
        text.append_to(read);
        ASSERT_TRUE(read == a || read == b) << i;
    }
}

/// A source that a test commands.
class Source {
public:
    Result<Token> fetch() {
        const std::lock_guard lock(mutex_);
        ++asked_;
        if (!failure_.empty()) return fail(failure_);
        return Token{fmt_value(), wall_now() + life_, wall_now() + life_ / 2};
    }
    void set(std::string failure, Duration life = 1h) {
        const std::lock_guard lock(mutex_);
        failure_ = std::move(failure);
        life_ = life;
        ++version_;
    }
    int asked() {
        const std::lock_guard lock(mutex_);
        return asked_;
    }

private:
    [[nodiscard]] std::string fmt_value() const { return "token-" + std::to_string(version_); }
    std::mutex mutex_;
    std::string failure_;
    Duration life_ = 1h;
    int version_ = 1;
    int asked_ = 0;
};

template <class Condition>
bool soon(Condition condition) {
    for (int i = 0; i < 500; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

struct Kept {
    Source source;
    std::vector<std::string> said;
    TokenKeeper keeper{[this](const std::stop_token&) { return source.fetch(); },
                       [this](bool good, const std::string& m) { said.push_back((good ? "+" : "-") + m); },
                       7};
    std::string line() const {
        std::string out;
        return keeper.append_auth_header(out, wall_now()) ? out : "none";
    }
};

TEST(TokenKeeper, GivesTheTokenOnceItIsThere) {
    Kept kept;
    ASSERT_TRUE(soon([&] { return kept.keeper.generation() == 1; }));
    EXPECT_EQ(kept.line(), "Authorization: Bearer token-1\r\n");
    EXPECT_EQ(kept.keeper.lack(wall_now()), "");
    EXPECT_EQ(kept.keeper.lack(wall_now() + 2h), "the token has ended");
    std::string out = "x";
    EXPECT_FALSE(kept.keeper.append_auth_header(out, wall_now() + 1h));
    EXPECT_EQ(out, "x");
    EXPECT_EQ(kept.source.asked(), 1);
}

TEST(TokenKeeper, SaysWhyThereIsNoneAndGoesOnTrying) {
    Kept kept;
    kept.source.set("it is down");
    // It may have had one before.
    ASSERT_TRUE(soon([&] { return kept.source.asked() >= 1; }));
    kept.source.set("");
    EXPECT_TRUE(soon([&] { return kept.keeper.generation() >= 1; }));
    EXPECT_EQ(kept.keeper.lack(wall_now()), "");
}

TEST(TokenKeeper, TheOldTokenServesWhileTheSourceIsDown) {
    Kept kept;
    ASSERT_TRUE(soon([&] { return kept.keeper.generation() == 1; }));
    kept.source.set("", 4s);
    // Of an hour's token a refusal after no time changes nothing: it is young.
    EXPECT_FALSE(kept.keeper.renew(1));
    EXPECT_EQ(kept.line(), "Authorization: Bearer token-1\r\n");
    // Somebody who was refused with an older one finds the newer.
    EXPECT_TRUE(kept.keeper.renew(0));
    EXPECT_FALSE(kept.keeper.renewing());
}

TEST(TokenKeeper, ManyRefusalsAreOneFetch) {
    Source source;
    source.set("", 4s);
    TokenKeeper keeper([&](const std::stop_token&) { return source.fetch(); }, [](bool, const auto&) {}, 7);
    ASSERT_TRUE(soon([&] { return keeper.generation() == 1; }));
    std::this_thread::sleep_for(1100ms);  // older than a quarter of its life
    source.set("", 4s);
    const int before = source.asked();
    std::vector<std::jthread> many;
    for (int i = 0; i < 8; ++i)
        many.emplace_back([&] {
            for (int j = 0; j < 50; ++j) EXPECT_TRUE(keeper.renew(1));
        });
    many.clear();
    ASSERT_TRUE(soon([&] { return keeper.generation() == 2; }));
    EXPECT_TRUE(soon([&] { return !keeper.renewing(); }));
    EXPECT_EQ(source.asked(), before + 1);
}

TEST(TokenKeeper, ATokenLongerThanAHeadIsRefused) {
    TokenKeeper keeper(
        [](const std::stop_token&) -> Result<Token> {
            return Token{std::string(40'000, 't'), wall_now() + 1h, wall_now() + 1h};
        },
        [](bool, const auto&) {}, 7);
    EXPECT_TRUE(soon([&] { return keeper.lack(wall_now()) == "the token is too long"; }));
}

}  // namespace
}  // namespace spillway::identity
