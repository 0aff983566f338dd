/// What replicas tell each other of their backends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "routing/router_fixture.hpp"

namespace spillway::routing {
namespace {

using State = BackendView::State;

config::BackendConfig limited(std::string name, std::uint64_t tpm) {
    auto b = backend(std::move(name));
    b.tpm = tpm;
    return b;
}

/// Hands one replica's reports to another, as a store does.
class Mail {
public:
    void bring(const Bench& from, Bench& to) {
        for (auto observed : from.router.report(from.now)) {
            auto& [tokens, requests] = seen_[observed.backend + "/" + observed.deployment];
            observed.tokens -= std::exchange(tokens, observed.tokens);
            observed.requests -= std::exchange(requests, observed.requests);
            to.router.merge(observed, to.now);
        }
    }

private:
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> seen_;
};

TEST(Peers, WhatOthersSentCountsAgainstTheQuota) {
    Bench a({limited("one", 1000)});
    Bench b({limited("one", 1000)});
    Mail mail;
    b.serve(b.pick().lease);
    for (int i = 0; i < 6; ++i) a.serve(a.pick().lease);
    mail.bring(a, b);
    EXPECT_EQ(b.router.view(b.now)[0].deployments[0].remaining_tokens, 300);
    mail.bring(a, b);
    EXPECT_EQ(b.router.view(b.now)[0].deployments[0].remaining_tokens, 300);
    EXPECT_EQ(a.router.view(a.now)[0].deployments[0].remaining_tokens, 400);
}

TEST(Peers, WhatCameToNothingIsTakenBack) {
    Bench a({limited("one", 1000)});
    Bench b({limited("one", 1000)});
    Mail mail;
    b.serve(b.pick().lease);
    const Choice c = a.pick();
    mail.bring(a, b);
    EXPECT_EQ(b.router.view(b.now)[0].deployments[0].remaining_tokens, 800);
    a.end(c.lease, OutcomeKind::connect_error);
    mail.bring(a, b);
    EXPECT_EQ(b.router.view(b.now)[0].deployments[0].remaining_tokens, 900);
}

TEST(Peers, ThrottleOfADeploymentIsMergedByAll) {
    Bench a({backend("one"), backend("two")});
    Bench b({backend("one"), backend("two")});
    Mail mail;
    for (int i = 0; i < 20; ++i) b.serve(b.pick().lease);
    const BackendIndex full = a.once(OutcomeKind::throttled, 20s);
    mail.bring(a, b);
    for (int i = 0; i < 20; ++i) {
        const Choice c = b.pick();
        EXPECT_NE(c.lease.backend, full);
        b.serve(c.lease);
    }
    EXPECT_EQ(b.router.view(b.now)[full].state, State::throttled);
    EXPECT_EQ(b.router.view(b.now)[full].reason, "429");
    // Another deployment of it is not concerned.
    b.router.set_mode(1 - full, Mode::off);
    EXPECT_EQ(b.pick({}, "gpt-4o-mini").lease.backend, full);
    b.now += 21s;
    EXPECT_EQ(b.pick().lease.backend, full);
}

TEST(Peers, FailureOfABackendIsMergedByAll) {
    Bench a({backend("one", 1), backend("two", 2)});
    Bench b({backend("one", 1), backend("two", 2)});
    Mail mail;
    a.once(OutcomeKind::connect_error);
    mail.bring(a, b);
    EXPECT_EQ(b.pick().lease.backend, 1U);
    EXPECT_EQ(b.router.view(b.now)[0].state, State::failed);
}

TEST(Peers, WhatWasHeardIsNotToldOnAndDoesNotGrow) {
    Bench a({backend("one")});
    Bench b({backend("one")});
    Mail to_b;
    Mail to_a;
    a.once(OutcomeKind::connect_error, 10s);
    const Mono begin = a.now;
    for (; a.now < begin + 9s; a.now += 50ms, b.now = a.now + 7ms) {
        to_b.bring(a, b);
        to_a.bring(b, a);
        for (const auto& report : b.router.report(b.now)) EXPECT_EQ(report.cooling, Duration::zero());
    }
    EXPECT_LE(a.router.view(a.now)[0].until, begin + 10s - a.now);
    EXPECT_LE(b.router.view(b.now)[0].until, begin + 10s + 250ms - b.now);
    a.now = begin + 10s;
    a.serve(a.pick().lease);
    to_a.bring(b, a);
    EXPECT_EQ(a.router.view(a.now)[0].state, State::available);
}

TEST(Peers, UnknownReasonsAndBackendsAreIgnored) {
    Bench b({backend("one")});
    quota::PeerReport observed;
    observed.backend = "one";
    observed.cooling = 10s;
    observed.reason = 77;
    b.router.merge(observed, b.now);
    observed.backend = "another";
    observed.reason = 1;
    b.router.merge(observed, b.now);
    EXPECT_TRUE(b.pick().found());
}

}  // namespace
}  // namespace spillway::routing
