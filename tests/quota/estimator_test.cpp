#include "quota/estimator.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "base/rng.hpp"

namespace spillway::quota {
namespace {

RequestShape shape(std::uint64_t chars, std::optional<std::uint64_t> max_tokens = {},
                   TextKind kind = TextKind::ascii) {
    RequestShape s;
    s.chars = chars;
    s.items = 1;
    s.max_tokens = max_tokens;
    s.kind = kind;
    return s;
}

TextKind kind(std::string_view body, std::uint64_t chars) {
    return kind_of(outside_ascii(body, chars));
}

TEST(TextKind, IsToldByTheCharactersOutsideAscii) {
    EXPECT_EQ(kind(R"({"messages":[{"role":"user","content":"Say hello."}]})", 10), TextKind::ascii);
    EXPECT_EQ(kind(R"({"input":"l'été, où à Évian"})", 17), TextKind::mixed);
    EXPECT_EQ(kind(R"({"input":"// 두 값을 더한다\nint add(int a, int b);"})", 36), TextKind::mixed);
    EXPECT_EQ(kind(R"({"input":"Привет, мир"})", 11), TextKind::letters);
    EXPECT_EQ(kind(R"({"input":"Γειά σου Κόσμε"})", 14), TextKind::letters);
    EXPECT_EQ(kind(R"({"messages":[{"role":"user","content":"안녕하세요"}]})", 5), TextKind::wide);
    EXPECT_EQ(kind(R"({"input":"你好，世界"})", 5), TextKind::wide);
    // Written with escapes.
    EXPECT_EQ(kind(R"({"input":"\uc548\ub155\ud558\uc138\uc694"})", 5), TextKind::wide);
    EXPECT_EQ(kind(R"({"input":"\u041f\u0440\u0438\u0432\u0435\u0442"})", 6), TextKind::letters);
    // An escaped backslash before a u is no escape of a character.
    const OutsideAscii none = outside_ascii(R"({"input":"C:\\users\\u1234 \u0041"})", 20);
    EXPECT_EQ(none.letters + none.wide, 0);
    EXPECT_EQ(kind("", 0), TextKind::ascii);
    EXPECT_EQ(kind("\\", 1), TextKind::ascii);
}

TEST(TextKind, SamplesLongBodies) {
    std::string korean = R"({"input":")";
    for (int i = 0; i < 30'000; ++i) korean += "가";
    korean += R"("})";
    EXPECT_NEAR(outside_ascii(korean, 30'000).wide, 1, 0.1);
    EXPECT_EQ(outside_ascii(korean, 30'000).letters, 0);
    const std::string english = R"({"input":")" + std::string(50'000, 'a') + R"("})";
    EXPECT_EQ(outside_ascii(english, 50'000).wide, 0);
}

TEST(Estimator, ShapesARequest) {
    api::RequestScan scan;
    scan.prompt_chars = 5;
    scan.prompt_token_ids = 7;
    scan.prompt_items = 2;
    scan.n = 3;
    scan.max_tokens = 64;
    const RequestShape s = shape_of(scan, R"({"input":"안녕하세요"})", "m", false);
    EXPECT_EQ(s.chars, 5U);
    EXPECT_EQ(s.token_ids, 7U);
    EXPECT_EQ(s.items, 2U);
    EXPECT_EQ(s.n, 3U);
    EXPECT_EQ(s.max_tokens, 64U);
    EXPECT_EQ(s.kind, TextKind::wide);
    EXPECT_FALSE(s.has_output);
}

TEST(Estimator, WhatTheScanFoundToBeAsciiIsNotLookedAtAgain) {
    api::RequestScan scan;
    scan.prompt_chars = 5;
    EXPECT_EQ(shape_of(scan, R"({"input":"안녕하세요"})", "m").kind, TextKind::wide);
    scan.ascii = true;
    EXPECT_EQ(shape_of(scan, R"({"input":"안녕하세요"})", "m").kind, TextKind::ascii);
}

TEST(Estimator, BeginsWithSoundGuesses) {
    const Estimator e;
    const Estimate first = e.estimate(shape(4000, 100));
    EXPECT_NEAR(static_cast<double>(first.prompt), 1004, 2);
    EXPECT_EQ(first.charge, 1100U);
    EXPECT_EQ(first.error, 1);
    EXPECT_GT(e.estimate(shape(1000, {}, TextKind::wide)).prompt, e.estimate(shape(1000)).prompt * 2);
    RequestShape ids;
    ids.token_ids = 50;
    ids.has_output = false;
    EXPECT_EQ(e.estimate(ids).total(), 50U);
    EXPECT_EQ(e.estimate(ids).charge, 50U);
}

TEST(Estimator, LearnsEnglishAndKoreanApart) {
    Estimator e;
    Rng rng(5);
    for (int i = 0; i < 300; ++i) {
        const std::uint64_t chars = 100 + rng.below(3000);
        const auto english = static_cast<std::uint64_t>(static_cast<double>(chars) * 0.22) + 4;
        const auto korean = static_cast<std::uint64_t>(static_cast<double>(chars) * 0.95) + 4;
        e.used(shape(chars), {english, 80, english + 80, 0, 0});
        e.used(shape(chars, {}, TextKind::wide), {korean, 80, korean + 80, 0, 0});
    }
    EXPECT_NEAR(e.tokens_per_char(TextKind::ascii), 0.22, 0.01);
    EXPECT_NEAR(e.tokens_per_char(TextKind::wide), 0.95, 0.02);
    EXPECT_NEAR(e.tokens_per_char(TextKind::mixed), 0.35, 0.001);
    EXPECT_NEAR(e.tokens_per_char(TextKind::letters), 0.35, 0.001);
    const Estimate after = e.estimate(shape(1000));
    EXPECT_NEAR(static_cast<double>(after.prompt), 224, 10);
    EXPECT_NEAR(static_cast<double>(after.output), 80, 3);
    EXPECT_LT(after.error, 0.05);
}

TEST(Estimator, LearnsHowMuchOfMaxTokensAnswersTake) {
    Estimator e;
    for (int i = 0; i < 100; ++i) e.used(shape(400, 1000), {100, 200, 300, 0, 0});
    EXPECT_NEAR(static_cast<double>(e.estimate(shape(400, 500)).output), 100, 3);
    RequestShape two = shape(400, 500);
    two.n = 2;
    EXPECT_NEAR(static_cast<double>(e.estimate(two).output), 200, 5);
}

TEST(Estimator, DoesNotLearnFromNonsense) {
    Estimator e;
    e.used(shape(1000), {4'000'000'000'000ULL, 1, 1, 0, 0});
    e.used(shape(1000), {900'000, 0, 900'000, 0, 0});  // an image, perhaps
    e.used(shape(3), {500, 0, 500, 0, 0});
    e.charged(shape(1000), 0);
    e.charged(shape(1000), 4'000'000'000'000ULL);
    EXPECT_NEAR(e.tokens_per_char(TextKind::ascii), 0.25, 1e-6);
    EXPECT_EQ(e.estimate(shape(1000, 10)).charge, 260U);
    const Estimate huge = e.estimate(shape(~0ULL >> 1U, ~0ULL));
    EXPECT_LE(huge.charge, 2'000'000'000U);
}

TEST(ChargeModel, FindsTheFormulaOfABackend) {
    Estimator e;
    Rng rng(9);
    // characters × 0.3 + 0.8 × max_tokens, or 50 without: none of it is the first guess.
    const auto real = [](const RequestShape& s) {
        const double output = s.max_tokens ? 0.8 * static_cast<double>(*s.max_tokens) : 50;
        return static_cast<std::uint64_t>(std::ceil(static_cast<double>(s.chars) * 0.3)) +
               static_cast<std::uint64_t>(output);
    };
    for (int i = 0; i < 200; ++i) {
        RequestShape s = shape(20 + rng.below(4000));
        if (rng.below(2) == 0) s.max_tokens = 16 + rng.below(2000);
        // Now and then another user of the deployment comes between.
        e.charged(s, real(s) + (rng.below(20) == 0 ? 3000 : 0));
    }
    for (const auto& s : {shape(2000, 500), shape(2000), shape(100, 100)}) {
        const double off = static_cast<double>(e.estimate(s).charge) - static_cast<double>(real(s));
        EXPECT_LT(std::abs(off), 25) << real(s);
    }
    EXPECT_LT(e.estimate(shape(100)).charge_error, 0.3);
}

TEST(ChargeModel, GarbageDoesNotMakeRequestsSeemToCostAQuota) {
    Estimator e;
    Rng rng(4);
    for (int i = 0; i < 300; ++i) e.charged(shape(600, 64), rng.below(60'000));
    EXPECT_LT(e.estimate(shape(600, 64)).charge, 1200U);
    // and it comes to its senses
    for (int i = 0; i < 300; ++i) {
        const auto s = shape(100 + rng.below(1000), 64);
        e.charged(s, s.chars / 4 + 64);
    }
    EXPECT_NEAR(static_cast<double>(e.estimate(shape(600, 64)).charge), 214, 10);
}

TEST(ChargeModel, IsExactAfterAFewCleanMeasurements) {
    Estimator e;
    Rng rng(2);
    for (int i = 0; i < 40; ++i) {
        const auto s =
            shape(100 + rng.below(2000),
                  rng.below(2) == 0 ? std::optional<std::uint64_t>(64 + rng.below(500)) : std::nullopt);
        e.charged(s, s.chars / 5 + s.max_tokens.value_or(40));
    }
    EXPECT_NEAR(static_cast<double>(e.estimate(shape(1000, 200)).charge), 400, 3);
    EXPECT_NEAR(static_cast<double>(e.estimate(shape(1000)).charge), 240, 3);
    EXPECT_LT(e.estimate(shape(1000)).charge_error, 0.05);
}

TEST(Estimators, AreOnePerNumber) {
    Estimators all(3);
    EXPECT_NE(&all.of(1), &all.of(2));
    EXPECT_EQ(&all.of(7), &all.of(0));
}

TEST(Estimator, ManyThreadsMayLearn) {
    Estimator e;
    std::vector<std::thread> threads;
    for (unsigned n = 0; n < 4; ++n)
        threads.emplace_back([&, n] {
            Rng rng(n);
            for (int i = 0; i < 2000; ++i) {
                const auto s = shape(100 + rng.below(1000), 100);
                e.charged(s, s.chars / 4 + 100);
                e.used(s, {s.chars / 4 + 4, 50, s.chars / 4 + 54, 0, 0});
                (void)e.estimate(s);
            }
        });
    for (auto& t : threads) t.join();
    EXPECT_NEAR(static_cast<double>(e.estimate(shape(1000, 100)).charge), 350, 4);
    EXPECT_NEAR(static_cast<double>(e.estimate(shape(1000, 100)).total()), 304, 10);
}

}  // namespace
}  // namespace spillway::quota
