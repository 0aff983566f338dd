#include "gateway/retry_machine.hpp"

#include <gtest/gtest.h>

#include "routing/blame.hpp"

namespace spillway::gateway {
namespace {

using namespace std::chrono_literals;
using routing::Came;
using routing::Cause;

std::vector<config::BackendConfig> backends(int n) {
    std::vector<config::BackendConfig> out(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) out[static_cast<std::size_t>(i)].name = "b" + std::to_string(i);
    return out;
}

routing::Verdict judge(const routing::Evidence& e) {
    return routing::blame(e, {});
}
Tried tried(const routing::Evidence& e, routing::BackendIndex backend = 0) {
    const routing::Verdict v = judge(e);
    return {.backend = backend, .status = e.status, .kind = routing::kind_of(v), .verdict = v, .took = 1ms};
}
const routing::Evidence kServerError{.status = 500};
const routing::Evidence kThrottled{.status = 429};
const routing::Evidence kNoConnection{.came = Came::no_connection};
const routing::Evidence kTimedOut{.came = Came::timed_out};

TEST(RetryMachine, GoesOnWhileTriesAndBudgetLast) {
    const auto b = backends(2);
    routing::Router router(b, {});
    RetryMachine retry(3, 0s, false);
    for (routing::BackendIndex i = 0; i < 2; ++i) {
        retry.attempt_begins(i);
        EXPECT_EQ(retry.failed(judge(kServerError), router, 0, Mono{}), RetryAction::pick);
    }
    EXPECT_EQ(retry.tried().size(), 2U);
    retry.attempt_begins(0);
    EXPECT_EQ(retry.failed(judge(kServerError), router, 0, Mono{}), RetryAction::give_up);
    EXPECT_EQ(retry.pause(), 1s);

    config::RetryConfig poor;
    poor.budget = {0.0, 0};
    routing::Router stingy(b, poor);
    RetryMachine none(3, 0s, false);
    none.attempt_begins(0);
    EXPECT_EQ(none.failed(judge(kServerError), stingy, 0, Mono{}), RetryAction::give_up);
}

TEST(RetryMachine, DoesNotGenerateTwiceAfterATimeOutUnlessItIsTold) {
    const auto b = backends(2);
    routing::Router router(b, {});
    for (const bool on_timeout : {false, true}) {
        RetryMachine retry(3, 0s, on_timeout);
        retry.attempt_begins(0);
        EXPECT_EQ(retry.failed(judge(kTimedOut), router, 0, Mono{}),
                  on_timeout ? RetryAction::pick : RetryAction::give_up);
    }
    RetryMachine retry(3, 0s, false);
    retry.attempt_begins(0);
    EXPECT_EQ(retry.failed(judge({.status = 400}), router, 0, Mono{}), RetryAction::give_up)
        << "the client's mistake is the same everywhere";
}

TEST(RetryMachine, WaitsForQuotaAsLongAsItMay) {
    RetryMachine retry(3, 5s, false);
    retry.attempt_begins(1);
    EXPECT_EQ(retry.nobody(3s), RetryAction::wait);
    EXPECT_EQ(retry.pause(), 3s);
    EXPECT_TRUE(retry.tried().empty()) << "after a wait all may be asked again";
    EXPECT_EQ(retry.nobody(3s), RetryAction::give_up) << "6 s are more than 5 s";
    EXPECT_EQ(retry.nobody(2s), RetryAction::wait);
}

Refusal told(std::initializer_list<routing::Evidence> ends, Cause cause = Cause::none,
             std::optional<FailedAnswer> answer = {}) {
    Report report;
    routing::BackendIndex i = 0;
    for (const auto& e : ends) report.tried.push_back(tried(e, i++));
    report.failed_answer = std::move(answer);
    routing::Choice last;
    last.cause = cause;
    Asked asked;
    asked.deployment = "gpt-4o";
    return no_backend_left(report, last, asked, 1500ms);
}

TEST(NoBackendLeft, SaysOutOfQuotaForQuotaAlone) {
    for (const Refusal& why : {told({}, Cause::quota), told({kThrottled, kThrottled}, Cause::quota)}) {
        EXPECT_EQ(why.status, 429U);
        EXPECT_EQ(why.code, "rate_limit_exceeded");
        EXPECT_EQ(why.retry_in, 1500ms);
        EXPECT_EQ(ending_of(why), Ending::out_of_quota);
    }
    const Refusal paid_up = told({{.status = 429, .code = "insufficient_quota"}}, Cause::quota);
    EXPECT_EQ(paid_up.status, 429U);
    EXPECT_EQ(paid_up.code, "insufficient_quota");
}

TEST(NoBackendLeft, NamesTheKindsOfFailure) {
    const Refusal why = told({kNoConnection, kThrottled, kServerError}, Cause::failures);
    EXPECT_EQ(why.status, 503U);
    EXPECT_EQ(why.code, "no_backend");
    for (const char* kind : {"no connection", "out of quota", "server errors"})
        EXPECT_NE(why.message.find(kind), std::string::npos) << why.message;
    EXPECT_EQ(ending_of(why), Ending::no_backend);
}

TEST(NoBackendLeft, PassesTheAnswerThatAllGave) {
    const FailedAnswer answer{500, "application/json", R"({"error":{"code":"model_error"}})", true};
    const Refusal same = told({kServerError, kServerError}, Cause::failures, answer);
    EXPECT_EQ(same.status, 500U);
    EXPECT_EQ(refusal_body(same), answer.body);
    EXPECT_TRUE(same.final);
    std::string fields;
    append_refusal_fields(fields, same);
    EXPECT_NE(fields.find("x-should-retry: false"), std::string::npos);
    EXPECT_EQ(told({kServerError, kNoConnection}, Cause::failures, answer).status, 503U);
    EXPECT_EQ(told({kThrottled}, Cause::quota, FailedAnswer{429, "", "{}", false}).code,
              "rate_limit_exceeded")
        << "whose quota it was is not the client's affair";
}

TEST(NoBackendLeft, SaysWhatElseIsTrue) {
    EXPECT_EQ(told({kTimedOut}).status, 504U);
    EXPECT_TRUE(told({kTimedOut}).final);
    EXPECT_EQ(told({}, Cause::out_of_rotation).code, "drained");
    EXPECT_EQ(told({}, Cause::out_of_rotation).status, 503U);
    EXPECT_EQ(told({}, Cause::not_served).status, 404U);
    const Refusal large = told({}, Cause::too_large);
    EXPECT_EQ(large.status, 429U);
    EXPECT_EQ(large.code, "request_too_large");
    EXPECT_TRUE(large.final);
    EXPECT_EQ(told({}, Cause::failures).status, 503U);
}

TEST(RetryAfter, IsRoundedUpAndALittleMore) {
    EXPECT_EQ(retry_milliseconds(0ms), 20);
    EXPECT_EQ(retry_milliseconds(1ns), 21);
    EXPECT_EQ(retry_milliseconds(999ms), 1019);
    EXPECT_EQ(retry_seconds(999ms), 2);
    EXPECT_EQ(retry_seconds(100ms), 1);
}

}  // namespace
}  // namespace spillway::gateway
