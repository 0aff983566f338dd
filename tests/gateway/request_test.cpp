// One request's life with whole answers: intake, admission, attempts, report.
#include <filesystem>
#include <fstream>

#include "request_fixture.hpp"
#include "telemetry/ledger_query.hpp"

namespace spillway::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using RequestTest = RequestLife;

TEST_F(RequestTest, PassesAnAnswerOnAndCountsIt) {
    start();
    backends_.answers = {json(kAnswer)};
    const FakeClient& client = ask(kChat, "POST", "/v1/chat/completions", {{"x-request-id", "mine-1"}});
    EXPECT_EQ(client.status, 200U);
    EXPECT_EQ(client.got, kAnswer);
    EXPECT_EQ(client.length, kAnswer.size());
    EXPECT_TRUE(client.ended);
    EXPECT_THAT(client.fields(), HasSubstr("x-spillway-backend: one\r\n"));
    EXPECT_THAT(client.fields(), HasSubstr("x-request-id: mine-1\r\n"));
    ASSERT_EQ(backends_.requests.size(), 1U);
    EXPECT_TRUE(backends_.requests[0].has("/openai/"));
    EXPECT_TRUE(backends_.requests[0].has("four-o")) << "the backend's own name of the deployment";
    EXPECT_TRUE(backends_.requests[0].has("api-key: key-1\r\n"));
    EXPECT_FALSE(backends_.requests[0].has("web-key"));
    EXPECT_EQ(backends_.reused_again, 1U);
    EXPECT_TRUE(counted(R"(spillway_requests_total{client="web",deployment="gpt-4o",status="200"} 1)"));
    EXPECT_TRUE(counted(R"(spillway_tokens_total{client="web",deployment="gpt-4o",kind="prompt"} 8)"));
    EXPECT_TRUE(counted(R"(spillway_attempts_total{backend="one",outcome="served"} 1)"));
}

TEST_F(RequestTest, LeavesALineAndARowOfIt) {
    const std::string folder = testing::TempDir() + "spillway-request-test";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    telemetry::AccessLog log(folder + "/access.log");
    access_log_ = &log;
    books_.ledger = telemetry::Ledger::open(folder + "/ledger.db").value();
    start();
    backends_.answers = {failure(500), json(kAnswer), events({delta("a"), kStop, kUsage, kDone})};
    ask(kChat);
    ask(kStream);
    worker_->log->flush();
    worker_.reset();
    books_.ledger.reset();
    std::ifstream file(folder + "/access.log");
    std::string line;
    ASSERT_TRUE(std::getline(file, line));
    EXPECT_THAT(line, HasSubstr(R"("deployment":"gpt-4o","model":"gpt-4o-2024-08-06")"));
    EXPECT_THAT(line, HasSubstr(R"("backend":"two")"));
    ASSERT_TRUE(std::getline(file, line));
    EXPECT_THAT(line, HasSubstr(R"("model":"gpt-4o-mini-2024-07-18","stream":true)"));
    telemetry::UsageQuery query;
    query.from = wall_now() - std::chrono::hours(1);
    query.to = wall_now() + std::chrono::hours(1);
    query.by.model = true;
    const auto totals = telemetry::query_usage(folder + "/ledger.db", query);
    ASSERT_TRUE(totals);
    ASSERT_EQ(totals->size(), 2U);
    for (const auto& total : *totals) EXPECT_THAT(total.model, testing::StartsWith("gpt-4o-")) << total.model;
    std::filesystem::remove_all(folder);
}

TEST_F(RequestTest, GoesToTheNextBackendAfterAFailure) {
    start();
    backends_.answers = {failure(500), json(kAnswer)};
    const FakeClient& client = ask(kChat);
    EXPECT_EQ(client.status, 200U);
    EXPECT_THAT(asked_backends(), ElementsAre(0, 1));
    EXPECT_THAT(client.fields(), HasSubstr("x-spillway-attempts: 2\r\n"));
    EXPECT_TRUE(counted("spillway_rescued_requests_total 1")) << metrics();
}

TEST_F(RequestTest, GoesToTheNextBackendWhereNoneAnswers) {
    for (const NetKind kind : {NetKind::resolve, NetKind::connect, NetKind::tls, NetKind::timeout}) {
        start();
        backends_.requests.clear();
        backends_.answers = {unreachable(kind), json(kAnswer)};
        EXPECT_EQ(ask(kChat).status, 200U) << static_cast<int>(kind);
        EXPECT_THAT(asked_backends(), ElementsAre(0, 1));
        worker_.reset();
    }
}

TEST_F(RequestTest, OwnShortageIsNoBackendsFault) {
    start();
    backends_.answers = {unreachable(NetKind::local)};
    EXPECT_EQ(ask(kChat).status, 503U);
    EXPECT_THAT(asked_backends(), ElementsAre(0)) << "another would fail as well";
}

TEST_F(RequestTest, TriesAFreshConnectionWhereThePooledOneWasStale) {
    start();
    FakeAnswer stale = json(kAnswer);
    stale.pooled = true;
    stale.no_head = NetKind::closed;
    backends_.answers = {stale, json(kAnswer)};
    EXPECT_EQ(ask(kChat).status, 200U);
    EXPECT_THAT(asked_backends(), ElementsAre(0, 0));
    EXPECT_TRUE(counted(R"(spillway_attempts_total{backend="one",outcome="served"} 1)"));
}

TEST_F(RequestTest, TakesABreakOfAFreshConnectionForAFailure) {
    start();
    FakeAnswer cut = json(kAnswer);
    cut.no_head = NetKind::protocol;
    FakeAnswer half = json(kAnswer);
    half.chunked = true;
    half.pieces = {R"({"id":)"};
    half.cut = NetKind::closed;
    backends_.answers = {cut, half};
    EXPECT_GE(ask(kChat).status, 500U);
    EXPECT_THAT(asked_backends(), ElementsAre(0, 1));
    EXPECT_EQ(backends_.closed, 2U);
}

TEST_F(RequestTest, SaysSoWhenAllBackendsAreOutOfQuota) {
    start("retry: {max_wait: 0s}\n");
    backends_.answers = {failure(429, "429", {{"retry-after", "7"}}),
                         failure(429, "429", {{"retry-after", "9"}})};
    const FakeClient& client = ask(kChat);
    EXPECT_EQ(client.status, 429U);
    EXPECT_THAT(client.fields(), HasSubstr("retry-after-ms: 7"));
    EXPECT_THAT(client.got, HasSubstr("\"error\""));
    // The next one is not even tried.
    EXPECT_EQ(ask(kChat).status, 429U);
    EXPECT_THAT(asked_backends(), ElementsAre(0, 1));
    EXPECT_TRUE(counted(R"(spillway_requests_total{client="web",deployment="gpt-4o",status="429"} 2)"));
}

TEST_F(RequestTest, WaitsForQuotaThatComesBackSoon) {
    start("retry: {max_wait: 5s}\n");
    backends_.answers = {failure(429, "429", {{"retry-after-ms", "120"}}),
                         failure(429, "429", {{"retry-after-ms", "60"}}), json(kAnswer)};
    EXPECT_EQ(ask(kChat).status, 200U);
    EXPECT_EQ(backends_.requests.size(), 3U);
}

TEST_F(RequestTest, PassesTheClientsOwnMistakeOn) {
    start();
    backends_.answers = {failure(400, "unknown_parameter")};
    const FakeClient& client = ask(kChat);
    EXPECT_EQ(client.status, 400U);
    EXPECT_THAT(client.got, HasSubstr("unknown_parameter"));
    EXPECT_THAT(asked_backends(), ElementsAre(0));
}

TEST_F(RequestTest, GivesUpAtItsDeadline) {
    start("limits: {request_timeout: 100ms}\n");
    FakeAnswer never = json(kAnswer);
    never.no_answer = true;
    backends_.answers = {never};
    const FakeClient& client = ask(kChat);
    EXPECT_EQ(client.status, 504U);
    EXPECT_THAT(client.got, HasSubstr(R"("code":"timeout")"));
    EXPECT_EQ(backends_.closed, 1U);
    // It may have been answered all the same: what it was likely to cost is charged.
    EXPECT_TRUE(counted(R"(spillway_attempts_total{backend="one",outcome="timeout"} 1)")) << metrics();
    EXPECT_GT(web().tokens().used_here(quota::read_clocks()), 0);
}

TEST_F(RequestTest, EndsWithItsClient) {
    start();
    FakeAnswer never = json(kAnswer);
    never.no_answer = true;
    never.before_head = [this] { client_->leave(); };
    backends_.answers = {never};
    const FakeClient& client = ask(kChat);
    EXPECT_EQ(client.got, "");
    EXPECT_EQ(backends_.closed, 1U);
    EXPECT_TRUE(counted(R"(spillway_requests_total{client="web",deployment="gpt-4o",status="499"} 1)"))
        << metrics();
    EXPECT_EQ(web().in_flight().used_here(quota::read_clocks()), 0);
}

TEST_F(RequestTest, PassesALargeAnswerOnAsItComes) {
    start("limits: {max_answer_buffer: 1KiB}\n");
    FakeAnswer large = json("");
    large.chunked = true;
    large.pieces = {R"({"data":")" + std::string(3000, 'x'), std::string(3000, 'y'),
                    R"(","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}})"};
    backends_.answers = {large};
    const FakeClient& client = ask(kChat);
    EXPECT_EQ(client.status, 200U);
    EXPECT_FALSE(client.length);
    EXPECT_GT(client.writes, 2U);
    EXPECT_TRUE(client.ended);
    EXPECT_TRUE(counted(R"(spillway_tokens_total{client="web",deployment="gpt-4o",kind="completion"} 4)"));
    EXPECT_EQ(backends_.reused_again, 1U);
}

TEST_F(RequestTest, ShowsABreakOfAnAnswerThatIsUnderWayAsABreak) {
    start();
    FakeAnswer speech;
    speech.fields = {{"content-type", "audio/mpeg"}};
    speech.chunked = true;
    speech.pieces = {"one", "two"};
    speech.cut = NetKind::closed;
    backends_.answers = {speech};
    const FakeClient& client =
        ask(R"({"model":"tts-1","input":"hi","voice":"alloy"})", "POST", "/v1/audio/speech");
    EXPECT_EQ(client.status, 200U);
    EXPECT_EQ(client.got, "onetwo");
    EXPECT_TRUE(client.cut);
    EXPECT_FALSE(client.ended);
    EXPECT_EQ(backends_.closed, 1U);
}

TEST_F(RequestTest, StopsReadingForAClientThatLeft) {
    start();
    FakeAnswer speech;
    speech.fields = {{"content-type", "audio/mpeg"}};
    speech.chunked = true;
    speech.pieces = {"one", "two", "three"};
    backends_.answers = {speech};
    make(R"({"model":"tts-1","input":"hi","voice":"alloy"})", "POST", "/v1/audio/speech").leave_after("one");
    const FakeClient& client = run();
    EXPECT_EQ(client.got, "one");
    EXPECT_EQ(backends_.closed, 1U);
    EXPECT_EQ(backends_.reused_again, 0U);
}

TEST_F(RequestTest, FindsWhereAThingLives) {
    start();
    const std::string made =
        R"({"id":"resp_0123456789abcdef","object":"response","status":"completed","model":"gpt-4o","output":[]})";
    const FakeAnswer missing = failure(404, "not_found");
    backends_.answers = {failure(500), json(made), json(made), missing, missing, missing};
    EXPECT_EQ(ask(R"({"model":"gpt-4o","input":"hi"})", "POST", "/v1/responses").status, 200U);
    // The resource that made it is asked, whatever the others' priorities.
    EXPECT_EQ(ask("", "GET", "/v1/responses/resp_0123456789abcdef").status, 200U);
    EXPECT_THAT(asked_backends(), ElementsAre(0, 1, 1));
    // Of one that nobody is known to have, all are asked.
    EXPECT_EQ(ask("", "GET", "/v1/responses/resp_fedcba9876543210").status, 404U);
    EXPECT_GE(backends_.requests.size(), 5U);
}

TEST_F(RequestTest, ChargesWorkInTheBackgroundWhenItsUsageIsSeen) {
    start();
    backends_.answers = {
        json(
            R"({"id":"resp_bg00000001","object":"response","status":"queued","background":true,"model":"gpt-4o"})"),
        json(
            R"({"id":"resp_bg00000001","object":"response","status":"completed","model":"gpt-4o","output":[],)"
            R"("usage":{"input_tokens":100,"output_tokens":20,"total_tokens":120}})")};
    const auto used = [this] { return web().tokens().used_here(quota::read_clocks()); };
    ask(R"({"model":"gpt-4o","input":"hi","background":true,"max_output_tokens":500})", "POST",
        "/v1/responses");
    EXPECT_GE(used(), 500) << "what it may use stays reserved";
    EXPECT_EQ(books_.pending.size(), 1U);
    ask("", "GET", "/v1/responses/resp_bg00000001");
    EXPECT_EQ(used(), 120);
    EXPECT_EQ(books_.pending.size(), 0U);
}

TEST_F(RequestTest, AnswersHeadWithoutABody) {
    start();
    FakeAnswer head = json("");
    head.fields.emplace_back("content-length", "1234");
    backends_.answers = {head};
    const FakeClient& client = ask("", "HEAD", "/v1/files");
    EXPECT_EQ(client.status, 200U);
    EXPECT_EQ(client.length, 1234U);
    EXPECT_EQ(client.got, "");
}

}  // namespace
}  // namespace spillway::gateway
