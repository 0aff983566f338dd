/// Each row of the table of blame, streamed or not, before or after the first output, on one to three
/// backends: only the culprit feels it, everybody else is served, and no more is tried than the table says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "routing/attempt_history.hpp"
#include "routing/blame.hpp"
#include "routing/router_fixture.hpp"

namespace spillway::routing {
namespace {

struct Row {
    std::string name;
    Evidence what;
};

std::vector<Row> rows() {
    std::vector<Row> out;
    for (const unsigned status : {400U, 401U, 402U, 403U, 404U, 408U, 409U, 413U, 422U, 424U, 429U, 499U,
                                  500U, 501U, 502U, 503U, 504U, 505U, 529U}) {
        Evidence e;
        e.status = status;
        out.push_back({std::to_string(status), e});
    }
    const auto with_code = [&](unsigned status, std::string_view code) {
        Evidence e;
        e.status = status;
        e.code = code;
        out.push_back({std::to_string(status) + " " + std::string(code), e});
    };
    with_code(400, "content_filter");
    with_code(400, "OperationNotSupported");
    with_code(404, "DeploymentNotFound");
    with_code(404, "model_not_found");
    with_code(429, "insufficient_quota");
    const auto in_stream = [&](std::string_view code) {
        Evidence e;
        e.came = Came::stream_error;
        e.status = 200;
        e.code = code;
        out.push_back({"stream " + std::string(code), e});
    };
    for (const auto* code : {"invalid_request_error", "context_length_exceeded", "invalid_prompt", "400",
                             "content_filter", "server_error", "rate_limit_exceeded", "model_not_found"})
        in_stream(code);
    for (const BodyShape shape : {BodyShape::empty, BodyShape::html, BodyShape::error}) {
        Evidence e;
        e.status = 200;
        e.body = shape;
        out.push_back({"200 shape " + std::to_string(static_cast<int>(shape)), e});
    }
    for (const Came came : {Came::no_connection, Came::cut, Came::malformed, Came::timed_out,
                            Came::no_credential, Came::local_limit, Came::client_left}) {
        Evidence e;
        e.came = came;
        out.push_back({"came " + std::to_string(static_cast<int>(came)), e});
    }
    Evidence whole;
    whole.status = 429;
    whole.charge = 15'000;
    whole.whole_quota = 10'000;
    out.push_back({"429 too large", whole});
    return out;
}

std::vector<config::BackendConfig> backends(std::size_t count) {
    std::vector<config::BackendConfig> out;
    for (std::size_t i = 0; i < count; ++i)
        out.push_back(backend(std::string(1, static_cast<char>('a' + i))));
    return out;
}

/// What one request met.
struct Met {
    std::vector<BackendIndex> tried;
    Verdict last;
    bool served = false;
    Cause cause = Cause::none;
};

class Gateway : public Bench {
public:
    using Bench::Bench;

    /// As the gateway does it. `fails(backend)`: the evidence, or nothing if that backend serves it.
    template <class Fails>
    Met request(std::uint64_t print, Fails fails) {
        Met met;
        AttemptHistory history;
        router.request_came();
        Ask ask;
        ask.deployment = router.deployment("gpt-4o", now);
        ask.operation = 1;
        ask.tokens = 100;
        ask.fingerprint = print;
        for (;;) {
            ask.tried = met.tried;
            const Choice c = router.pick(ask, now, rng);
            met.cause = c.cause;
            if (!c.found()) return met;
            met.tried.push_back(c.lease.backend);
            const std::optional<Evidence> e = fails(c.lease.backend);
            if (e && e->output_sent) router.began(c.lease, {}, now);
            if (!e) {
                serve_with(c.lease, history);
                met.served = true;
                return met;
            }
            met.last = blame(*e, {});
            router.ended(c.lease, outcome_of(met.last, e->status), now, &history);
            if (!met.last.elsewhere || !router.try_retry(print, now, &history)) return met;
        }
    }
    Met good() {
        return request(++fingerprint, [](BackendIndex) { return std::optional<Evidence>(); });
    }

private:
    void serve_with(const Lease& lease, AttemptHistory& history) {
        router.began(lease, {}, now);
        router.ended(lease, outcome_of(Verdict{}, 200), now, &history);
    }
};

class FaultMatrix : public testing::TestWithParam<std::tuple<std::size_t, bool>> {};

TEST_P(FaultMatrix, AFaultyRequestHurtsNobodyElse) {
    const auto [count, after_output] = GetParam();
    for (const Row& row : rows()) {
        // Quota is the backends' to give: who uses it up is a matter for clients' limits.
        if (row.what.status == 429 && row.what.whole_quota == 0) continue;
        if (row.name == "stream rate_limit_exceeded" || row.what.came == Came::no_connection) continue;
        SCOPED_TRACE(row.name + " on " + std::to_string(count));
        Gateway t(backends(count));
        Evidence what = row.what;
        what.output_sent = after_output;
        const auto poisoned = [&](BackendIndex) { return std::optional(what); };
        const Verdict v = blame(what, {});
        std::size_t attempts = 0;
        for (int i = 0; i < 200; ++i) {  // 20 a second beside 10 good ones
            const Met met = t.request(0xbad'0000'0000'0001U, poisoned);
            EXPECT_FALSE(met.served);
            if (!v.elsewhere) {
                EXPECT_EQ(met.tried.size(), 1U);
            }
            attempts += met.tried.size();
            t.now += 50ms;
            if (i % 2 != 0) continue;
            const Met good = t.good();
            ASSERT_TRUE(good.served) << "request " << i;
            EXPECT_EQ(good.tried.size(), 1U);
        }
        EXPECT_LE(attempts, 240U) << "whoever loops gets 1.2 attempts at most";
    }
}

TEST_P(FaultMatrix, AFaultyBackendIsPassedOver) {
    const auto [count, after_output] = GetParam();
    if (count == 1 || after_output) return;
    for (const Row& row : rows()) {
        SCOPED_TRACE(row.name + " on " + std::to_string(count));
        const Verdict v = blame(row.what, {});
        if (!v.elsewhere) continue;                           // it is no backend's fault
        if (v.consequence == Consequence::nothing) continue;  // tried elsewhere as the budget allows
        Gateway t(backends(count));
        const auto faulty = [&](BackendIndex b) { return b == 0 ? std::optional(row.what) : std::nullopt; };
        std::size_t attempts = 0;
        for (int i = 0; i < 400; ++i) {
            // Also if they are all the same.
            const Met met = t.request(count == 2 ? ++t.fingerprint : 0x5a5a'0000'0000'0001U, faulty);
            ASSERT_TRUE(met.served) << "request " << i;
            attempts += met.tried.size();
            t.now += 50ms;
        }
        EXPECT_LE(attempts, 440U);
        // Other deployments of it go on, but for what concerns all of it.
        if (v.scope == Scope::backend || v.scope == Scope::operation) continue;
        Ask ask;
        ask.deployment = t.router.deployment("other", t.now);
        ask.pinned = 0;
        const Choice other = t.router.pick(ask, t.now, t.rng);
        EXPECT_TRUE(other.found() && !other.lease.last_resort);
    }
}

TEST_P(FaultMatrix, ALonelyFlakyBackendIsNeverTakenAway) {
    const auto [count, after_output] = GetParam();
    if (count != 1) return;
    for (const Row& row : rows()) {
        const Verdict v = blame(row.what, {});
        if (v.whose == Whose::quota) continue;
        SCOPED_TRACE(row.name);
        Gateway t(backends(1));
        Evidence what = row.what;
        what.output_sent = after_output;
        for (int i = 0; i < 1000; ++i) {
            if (i % 20 == 0)
                (void)t.request(++t.fingerprint, [&](BackendIndex) { return std::optional(what); });
            else
                ASSERT_TRUE(t.good().served) << "request " << i;
            t.now += 50ms;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, FaultMatrix, testing::Combine(testing::Values(1, 2, 3), testing::Bool()));

TEST(FaultMatrix, WhenAllFailTheLeastBadIsTriedAndTheTruthIsTold) {
    Gateway t(backends(3));
    Evidence refused;
    refused.came = Came::no_connection;
    Evidence unwell;
    unwell.status = 500;
    const auto fails = [&](BackendIndex b) { return std::optional(b == 1 ? unwell : refused); };
    Met met;
    for (int i = 0; i < 30; ++i) met = t.request(++t.fingerprint, fails);
    ASSERT_FALSE(met.tried.empty());
    EXPECT_EQ(met.tried.front(), 1U);
    const Choice none = t.pick({0, 1, 2});
    EXPECT_FALSE(none.found());
    EXPECT_EQ(none.cause, Cause::failures);
    EXPECT_TRUE(none.has(Reason::no_connection));
    // As soon as it serves again, it does.
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(t.good().served);
}

TEST(FaultMatrix, QuotaIsSaidOnlyOfQuota) {
    Gateway t(backends(2));
    Evidence busy;
    busy.status = 429;
    const auto all_busy = [&](BackendIndex) { return std::optional(busy); };
    (void)t.request(++t.fingerprint, all_busy);
    Choice none = t.pick();
    EXPECT_EQ(none.cause, Cause::quota);
    EXPECT_TRUE(none.has(Reason::throttled));
    EXPECT_FALSE(none.has(Reason::no_quota));
    t.now += 20s;
    busy.code = "insufficient_quota";
    (void)t.request(++t.fingerprint, all_busy);
    none = t.pick();
    EXPECT_EQ(none.cause, Cause::quota);
    EXPECT_TRUE(none.has(Reason::no_quota));
    EXPECT_GT(none.retry_in, 60s);
}

TEST(FaultMatrix, ARequestLargerThanTheWholeQuotaIsToldSoAndSmallOnesGoOn) {
    auto configs = backends(2);
    for (auto& c : configs) c.tpm = 10'000;
    Gateway t(configs);
    t.tokens = 15'000;
    const Choice none = t.pick();
    EXPECT_FALSE(none.found());
    EXPECT_EQ(none.cause, Cause::too_large);
    EXPECT_TRUE(t.good().served);
    // Not known before: the answer's head says it, or what was learned.
    Gateway u(backends(2));
    u.tokens = 15'000;
    const Choice sent = u.pick();
    ASSERT_TRUE(sent.found());
    api::RateLimits told;
    told.limit_tokens = 10'000;
    EXPECT_EQ(u.router.whole_quota(sent.lease, told), 10'000U);
}

TEST(FaultMatrix, SeveralOperationsThatAreRefusedAreTheWholeBackend) {
    Gateway t(backends(2));
    Evidence refused;
    refused.status = 401;
    for (OperationIndex operation = 0; operation < 2; ++operation) {
        Ask ask;
        ask.operation = operation;
        ask.pinned = 0;
        const Choice c = t.router.pick(ask, t.now, t.rng);
        ASSERT_TRUE(c.found() && !c.lease.last_resort);
        t.router.ended(c.lease, outcome_of(blame(refused, {}), 401), t.now);
        EXPECT_EQ(t.router.view(t.now).at(0).state, BackendView::State::unauthorized);
        EXPECT_EQ(t.router.view(t.now).at(0).reason, "401");
    }
    Ask third;
    third.operation = 3;
    for (int i = 0; i < 20; ++i) EXPECT_EQ(t.router.pick(third, t.now, t.rng).lease.backend, 1U);
}

TEST(FaultMatrix, OneThatFailsAtTwoAndIsServedByTheThirdWasNotAtFault) {
    Gateway t(backends(3));
    Evidence unwell;
    unwell.status = 500;
    const auto two_fail = [&](BackendIndex b) { return b == 2 ? std::nullopt : std::optional(unwell); };
    std::size_t attempts = 0;
    for (int i = 0; i < 100; ++i) {
        const Met met = t.request(++t.fingerprint, two_fail);
        ASSERT_TRUE(met.served);
        attempts += met.tried.size();
    }
    EXPECT_LE(attempts, 115U);
}

TEST(FaultMatrix, EachChangeIsSaidOnce) {
    Gateway t(backends(2));
    Evidence refused;
    refused.came = Came::no_connection;
    const auto one_down = [&](BackendIndex b) { return b == 0 ? std::optional(refused) : std::nullopt; };
    for (int i = 0; i < 50; ++i) (void)t.request(++t.fingerprint, one_down);
    auto changes = t.router.fetch_changes();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].backend, "a");
    EXPECT_TRUE(changes[0].ejected);
    EXPECT_EQ(changes[0].reason, Reason::no_connection);
    t.now += 2s;
    for (int i = 0; i < 50; ++i) (void)t.good();
    changes = t.router.fetch_changes();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_FALSE(changes[0].ejected);
}

TEST(Models, ARequestGoesWhereItIsServed) {
    auto configs = backends(3);
    configs[0].models = {"gpt-4o*", "text-embedding-3-small"};
    configs[1].models = {"gpt-5"};
    configs[2].models = {"o3"};
    configs[2].deployments = {{"mapped", "own-name"}};
    Bench t(configs);
    for (const auto& [name, at] : {std::pair{"gpt-4o-mini", 0U}, {"gpt-5", 1U}, {"o3", 2U}, {"mapped", 2U}})
        for (int i = 0; i < 10; ++i) {
            const Choice c = t.pick({}, name);
            EXPECT_EQ(c.lease.backend, at) << name;
            t.serve(c.lease);
        }
    const Choice none = t.pick({}, "claude");
    EXPECT_FALSE(none.found());
    EXPECT_EQ(none.cause, Cause::not_served);
    EXPECT_TRUE(t.router.serves("gpt-4o"));
    EXPECT_FALSE(t.router.serves("claude"));
    EXPECT_THAT(t.router.models(),
                testing::ElementsAre("gpt-4o-mini", "gpt-5", "mapped", "o3", "text-embedding-3-small"));
}

TEST(CarryOver, WhatWasLearnedOutlivesAReload) {
    auto configs = backends(3);
    configs[0].tpm = 1000;
    Bench t(configs);
    Ask to_first;
    to_first.deployment = t.router.deployment("gpt-4o", t.now);
    to_first.tokens = 900;
    to_first.pinned = 0;
    t.serve(t.router.pick(to_first, t.now, t.rng).lease);
    Ask to_second;
    to_second.deployment = to_first.deployment;
    to_second.pinned = 1;
    const Lease running = t.router.pick(to_second, t.now, t.rng).lease;
    t.end(t.router.pick(to_second, t.now, t.rng).lease, OutcomeKind::throttled, 30s);
    t.router.set_mode(2, Mode::draining);

    std::swap(configs[0], configs[1]);
    configs[2].weight = 5;
    const Router next(configs, {}, {}, &t.router);
    const auto views = next.view(t.now);
    EXPECT_EQ(views[0].name, "b");
    EXPECT_EQ(views[0].state, BackendView::State::throttled);
    EXPECT_EQ(views[0].until, 30s);
    EXPECT_EQ(views[0].throttled, 1U);
    EXPECT_EQ(views[1].served, 1U);
    ASSERT_EQ(views[1].deployments.size(), 1U);
    EXPECT_EQ(views[1].deployments[0].remaining_tokens, 100);
    EXPECT_EQ(views[2].mode, Mode::draining);
    // What is still under way ends there as well.
    ASSERT_EQ(views[0].deployments.size(), 1U);
    EXPECT_EQ(views[0].deployments[0].in_flight, 1U);
    t.serve(running);
    EXPECT_EQ(next.view(t.now)[0].deployments[0].in_flight, 0U);

    configs[0].url.host = "elsewhere";
    const Router moved(configs, {}, {}, &next);
    EXPECT_EQ(moved.view(t.now)[0].state, BackendView::State::available);
}

}  // namespace
}  // namespace spillway::routing
