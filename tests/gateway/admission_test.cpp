#include "gateway/admission.hpp"

#include "gateway/limit_refusal.hpp"
#include "gateway/station_fixture.hpp"

namespace spillway::gateway {
namespace {

using namespace std::chrono_literals;

TEST(Admission, ReservesWhatARequestMayUseAndSettlesWhatItUsed) {
    Station s;
    Asked& a = s.chat(R"({"model":"gpt-4o","max_tokens":600,"messages":[{"role":"user","content":"hi"}]})");
    Admission first(s.snapshot->clients, s.quotas, s.users);
    quota::Refusal why;
    ASSERT_TRUE(first.reserve(a, s.now, why));
    EXPECT_TRUE(first.admitted());
    Admission second(s.snapshot->clients, s.quotas, s.users);
    EXPECT_FALSE(second.reserve(a, s.now, why)) << "600 + 600 of 1,000";
    EXPECT_EQ(why.reason, quota::Reason::tokens);
    Report report;
    report.status = 200;
    report.served_by = 0;
    report.note_usage({.prompt = 10, .completion = 5, .total = 15});
    const auto charged = first.settle(a, report, s.now);
    ASSERT_TRUE(charged);
    EXPECT_EQ(charged->tokens, 15);
    EXPECT_TRUE(second.reserve(a, s.now, why)) << "what was not used is free again";
}

TEST(Admission, ChargesNothingForWhatWasNotServed) {
    Station s;
    Asked& a = s.chat(R"({"model":"gpt-4o","max_tokens":600,"messages":[]})");
    Admission admission(s.snapshot->clients, s.quotas, s.users);
    quota::Refusal why;
    ASSERT_TRUE(admission.reserve(a, s.now, why));
    Report report;
    report.status = 503;
    EXPECT_EQ(admission.settle(a, report, s.now)->tokens, 0);
    Admission never(s.snapshot->clients, s.quotas, s.users);
    EXPECT_FALSE(never.settle(a, report, s.now));
}

TEST(Admission, AllSubjectsHaveToAdmit) {
    Station s("teams: [{name: red, limits: {tokens_per_minute: 5}}]\n");
    Asked& a = s.chat(R"({"model":"gpt-4o","max_tokens":10,"messages":[]})", "bound-key-000000001");
    Admission admission(s.snapshot->clients, s.quotas, s.users);
    quota::Refusal why;
    EXPECT_FALSE(admission.reserve(a, s.now, why));
    ASSERT_NE(why.subject, nullptr);
    EXPECT_EQ(why.subject->name(), "red");
    EXPECT_EQ(admission.subjects().size(), 2U);
    const Refusal told = limit_refusal(why, s.now.wall);
    EXPECT_EQ(told.status, 429U);
    EXPECT_EQ(told.code, "request_too_large");
    EXPECT_TRUE(told.final);
}

TEST(LimitRefusal, SaysWhichLimitAndWhen) {
    Station s;
    quota::Subject& web = *s.quotas.find(quota::SubjectKind::client, "web");
    const auto told = [&](quota::Reason reason) {
        quota::Refusal why;
        why.subject = &web;
        why.reason = reason;
        why.limit = 100;
        why.used = 90;
        why.wanted = 20;
        why.retry_in = 1500ms;
        why.period = quota::Period::day;
        return limit_refusal(why, s.now.wall);
    };
    for (const auto reason : {quota::Reason::concurrency, quota::Reason::requests, quota::Reason::tokens,
                              quota::Reason::fair_share, quota::Reason::busy_quota}) {
        const Refusal r = told(reason);
        EXPECT_EQ(r.status, 429U);
        EXPECT_EQ(r.type, "rate_limit_error");
        EXPECT_NE(r.message.find("web"), std::string::npos);
        EXPECT_NE(r.message.find("Please retry after 2 seconds."), std::string::npos) << r.message;
        EXPECT_FALSE(r.final);
    }
    for (const auto reason : {quota::Reason::token_quota, quota::Reason::budget}) {
        const Refusal r = told(reason);
        EXPECT_EQ(r.status, 403U);
        EXPECT_TRUE(r.final);
        EXPECT_NE(r.message.find("The next one begins at "), std::string::npos) << r.message;
    }
    EXPECT_EQ(told(quota::Reason::budget).code, "budget_exceeded");
    EXPECT_EQ(told(quota::Reason::token_quota).code, "quota_exceeded");
}

}  // namespace
}  // namespace spillway::gateway
