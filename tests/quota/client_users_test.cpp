// Users come and go: whom a client names is its own, who is refused leaves no trace, and nobody fills the
// table.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "quota/client_quota.hpp"
#include "quota/client_time.hpp"
#include "quota/user_accounts.hpp"

namespace spillway::quota {
namespace {

using namespace std::chrono_literals;
using test::at;

const SubjectLimits kFive{.requests_per_minute = 5};

/// As the gateway does: client first, then the user it names.
bool ask(ClientQuotas& quotas, UserAccounts& accounts, Subject& client, std::string_view user, Now now,
         Refusal& why, std::int64_t tokens = 1) {
    auto grant = quotas.admit({&client}, {tokens, 0}, now, why);
    if (!grant) return false;
    if (!quotas.add_user(*grant, accounts.find(client.name(), user, kFive, now), now, why)) return false;
    grant->settle({tokens, 0}, now);
    return true;
}

TEST(Users, AreTheirClientsOwn) {
    ClientQuotas quotas;
    UserAccounts accounts(quotas);
    Refusal why;
    Subject& a = quotas.find_or_add(SubjectKind::client, "A", {});
    Subject& b = quotas.find_or_add(SubjectKind::client, "B", {});
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(ask(quotas, accounts, b, "alice", at(0s), why));
    EXPECT_FALSE(ask(quotas, accounts, b, "alice", at(0s), why));
    EXPECT_EQ(why.subject->kind(), SubjectKind::user);
    EXPECT_EQ(why.subject->name(), "alice");
    EXPECT_EQ(why.subject->owner(), "B");
    EXPECT_TRUE(ask(quotas, accounts, a, "alice", at(0s), why));
    // Whom a token names is nobody's; a name that looks like an owner's is only a name.
    const SubjectRef named = quotas.user("", "alice", kFive, at(0s));
    EXPECT_EQ(named->requests().used_here(at(0s)), 0);
    EXPECT_NE(quotas.user("B",
                          "B\x1f"
                          "alice",
                          kFive, at(0s)),
              quotas.user("B", "alice", kFive, at(0s)));
}

TEST(Users, OfARefusedRequestAreNotMade) {
    ClientQuotas quotas;
    UserAccounts accounts(quotas);
    Refusal why;
    Subject& app = quotas.find_or_add(SubjectKind::client, "app", {.requests_per_minute = 1});
    EXPECT_TRUE(ask(quotas, accounts, app, "first", at(0s), why));
    for (int i = 0; i < 1000; ++i)
        EXPECT_FALSE(ask(quotas, accounts, app, "u" + std::to_string(i), at(0s), why));
    EXPECT_EQ(quotas.size(), 2U);
}

TEST(Users, ARefusalByTheUserIsUndoneWithTheClient) {
    ClientQuotas quotas;
    UserAccounts accounts(quotas);
    Refusal why;
    Subject& app = quotas.find_or_add(SubjectKind::client, "app", {.tokens_per_minute = 100});
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(ask(quotas, accounts, app, "u", at(0s), why, 10));
    EXPECT_FALSE(ask(quotas, accounts, app, "u", at(0s), why, 10));
    EXPECT_EQ(app.tokens().used_here(at(0s)), 50);
    EXPECT_EQ(app.in_flight().used_here(at(0s)), 0);
    EXPECT_TRUE(ask(quotas, accounts, app, "other", at(0s), why, 50));
}

TEST(Users, AreForgottenWhenNothingOfThemCounts) {
    ClientQuotas quotas;
    Subject& app = quotas.find_or_add(SubjectKind::client, "app", {}, true);
    {
        UserAccounts accounts(quotas);
        Refusal why;
        for (int i = 0; i < 100; ++i)
            EXPECT_TRUE(ask(quotas, accounts, app, "u" + std::to_string(i), at(0s), why));
        EXPECT_EQ(quotas.forget(at(30s), 1000), 101U);   // their minute is not over
        EXPECT_EQ(quotas.forget(at(2min), 1000), 101U);  // still remembered by a worker
    }
    const std::size_t half = quotas.forget(at(2min), 50);  // the client itself may be among those looked at
    EXPECT_GE(half, 51U);
    EXPECT_LE(half, 52U);
    EXPECT_EQ(quotas.forget(at(2min), 1000), 1U);
    EXPECT_EQ(quotas.find(SubjectKind::user, Subject::key_of("app", "u1")), nullptr);
    // With a day's quota they are kept for the day.
    const SubjectRef daily = quotas.user("app", "d", {.tokens = {0, 100, 0, 0}}, at(2min));
    Refusal why;
    if (auto grant = quotas.admit({daily}, {10, 0}, at(2min), why)) grant->settle({10, 0}, at(2min));
    EXPECT_FALSE(daily->idle(at(10h)));
    EXPECT_TRUE(daily->idle(at(13h)));  // noon and 13 hours: the next day
}

TEST(Users, AreRefusedWhenThereIsNoPlaceAndNoClientTakesAll) {
    ClientQuotas quotas;
    UserAccounts accounts(quotas);
    Subject& flood = quotas.find_or_add(SubjectKind::client, "flood", {});
    Subject& calm = quotas.find_or_add(SubjectKind::client, "calm", {});
    Refusal why;
    std::size_t made = 0;
    for (int i = 0; i < 52'000; ++i)
        made += ask(quotas, accounts, flood, std::to_string(i), at(0s), why) ? 1U : 0U;
    EXPECT_EQ(made, ClientQuotas::kMaxUsers / 2);
    EXPECT_EQ(why.reason, Reason::users_full);
    EXPECT_EQ(why.status(), 429U);
    EXPECT_EQ(why.subject, &flood);
    EXPECT_EQ(flood.in_flight().used_here(at(0s)), 0);
    for (int i = 0; i < 1000; ++i) {
        const std::string user = "c" + std::to_string(i);
        for (int j = 0; j < 5; ++j) EXPECT_TRUE(ask(quotas, accounts, calm, user, at(0s), why));
    }
    // A minute later there is room again, once the idle ones were looked for (which a worker's tick does).
    (void)quotas.forget(at(2min), ClientQuotas::kMaxUsers);
    EXPECT_TRUE(ask(quotas, accounts, flood, "late", at(2min), why));
}

TEST(Subjects, ThatAConfigurationDoesNotNameGo) {
    ClientQuotas quotas;
    quotas.begin_configuration();
    for (int i = 0; i < 100; ++i)
        (void)quotas.find_or_add(SubjectKind::client, std::to_string(i), {.tokens_per_minute = 100}, true);
    const SubjectRef busy = quotas.find(SubjectKind::client, "7");
    quotas.begin_configuration();
    (void)quotas.find_or_add(SubjectKind::client, "1", {.tokens_per_minute = 100}, true);
    EXPECT_EQ(quotas.forget(at(0s), 1000), 2U);
    EXPECT_EQ(quotas.find(SubjectKind::client, "7"), busy);
    std::size_t shown = 0;
    quotas.each([&](Subject&) { ++shown; });
    EXPECT_EQ(shown, 1U);  // who is leaving is not shared
    (void)quotas.find_or_add(SubjectKind::client, "7", {}, true);
    EXPECT_EQ(quotas.forget(at(0s), 1000), 2U);
}

TEST(Subjects, AreShownPageByPage) {
    ClientQuotas quotas;
    for (int i = 0; i < 25; ++i) (void)quotas.find_or_add(SubjectKind::client, std::to_string(100 + i), {});
    std::vector<SubjectRef> held;  // else they are forgotten at once: nothing counts of them
    for (int i = 0; i < 5; ++i) held.push_back(quotas.user("100", std::to_string(i), {}, at(0s)));
    std::vector<std::string> seen;
    std::optional<ClientQuotas::Place> after;
    for (;;) {
        const auto page = quotas.page(after ? &*after : nullptr, 7);
        for (const auto& s : page) seen.push_back(std::string(s->name()));
        if (page.size() < 7) break;
        after = {page.back()->kind(), page.back()->key()};
    }
    ASSERT_EQ(seen.size(), 30U);
    EXPECT_EQ(seen.front(), "100");
    EXPECT_EQ(seen[24], "124");
    EXPECT_EQ(seen.back(), "4");
}

TEST(Subjects, AreSmall) {
    // 100,000 clients in less than 100 MiB, the table's part included.
    EXPECT_LE(sizeof(Subject), 900U);
}

}  // namespace
}  // namespace spillway::quota
