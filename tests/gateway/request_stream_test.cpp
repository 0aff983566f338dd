// One request's life with an event stream.
#include "request_fixture.hpp"

namespace spillway::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using StreamTest = RequestLife;

TEST_F(StreamTest, PassesEventsOnAndHidesTheUsageItAskedFor) {
    start();
    backends_.answers = {events({delta("a"), delta("b") + kStop, kUsage, kDone})};
    const FakeClient& client = ask(kStream);
    EXPECT_EQ(client.status, 200U);
    EXPECT_EQ(client.got, delta("a") + delta("b") + kStop + kDone);
    EXPECT_TRUE(client.ended);
    EXPECT_TRUE(backends_.requests[0].has("include_usage"));
    EXPECT_TRUE(counted(R"(spillway_tokens_total{client="web",deployment="gpt-4o",kind="completion"} 2)"));
    EXPECT_EQ(backends_.reused_again, 1U);
}

TEST_F(StreamTest, WaitsForAClientThatReadsSlowly) {
    start();
    backends_.answers = {events({delta("a"), delta("b"), kStop + kUsage + kDone})};
    make(kStream).reads_slowly();
    const FakeClient& client = run();
    EXPECT_EQ(client.got, delta("a") + delta("b") + kStop + kDone);
    EXPECT_TRUE(client.ended);
}

TEST_F(StreamTest, TriesAnotherBackendAsLongAsNothingWasShown) {
    start();
    FakeAnswer cut =
        events({"data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n"});
    cut.cut = NetKind::closed;
    backends_.answers = {cut, events({delta("a"), kStop + kDone})};
    const FakeClient& client = ask(kStream);
    EXPECT_EQ(client.got, delta("a") + kStop + kDone);
    EXPECT_THAT(asked_backends(), ElementsAre(0, 1));
}

TEST_F(StreamTest, EndsWithAnErrorWhereSomethingWasShown) {
    start();
    FakeAnswer cut = events({delta("a")});
    cut.cut = NetKind::closed;
    backends_.answers = {cut};
    const FakeClient& client = ask(kStream);
    EXPECT_TRUE(client.got.starts_with(delta("a")));
    EXPECT_THAT(client.got, HasSubstr("stream_cut"));
    EXPECT_THAT(client.got, Not(HasSubstr("[DONE]")));
    EXPECT_EQ(backends_.closed, 1U);
}

TEST_F(StreamTest, TakesAnErrorEventBeforeOutputForAFailure) {
    start();
    backends_.answers = {
        events(
            {"data: "
             "{\"error\":{\"message\":\"busy\",\"type\":\"server_error\",\"code\":\"server_error\"}}\n\n"}),
        events({delta("a"), kStop + kDone})};
    const FakeClient& client = ask(kStream);
    EXPECT_EQ(client.got, delta("a") + kStop + kDone);
    EXPECT_EQ(backends_.requests.size(), 2U);
}

TEST_F(StreamTest, AsksAgainWithoutWhatTheBackendDoesNotKnow) {
    start();
    backends_.answers = {failure(400, "unknown_parameter"), events({delta("a"), kStop + kDone})};
    backends_.answers[0].pieces = {
        R"({"error":{"message":"Unrecognized request argument supplied: stream_options","type":"invalid_request_error"}})"};
    const FakeClient& client = ask(kStream);
    EXPECT_EQ(client.got, delta("a") + kStop + kDone);
    EXPECT_THAT(asked_backends(), ElementsAre(0, 0));
    EXPECT_TRUE(backends_.requests[0].has("stream_options"));
    EXPECT_FALSE(backends_.requests[1].has("stream_options"));
    // That is remembered.
    backends_.answers = {events({delta("a"), kStop + kDone})};
    ask(kStream);
    EXPECT_FALSE(backends_.requests[2].has("stream_options"));
}

TEST_F(StreamTest, CancelsTheBackendWhenItsClientLeaves) {
    start();
    FakeAnswer endless = events({delta("a"), delta("b")});
    endless.silent = true;
    backends_.answers = {endless};
    make(kStream).leave_after(delta("b"));
    run();
    EXPECT_EQ(backends_.closed, 1U);
    EXPECT_TRUE(counted(R"(spillway_attempts_total{backend="one",outcome="cancelled"} 1)")) << metrics();
}

TEST_F(StreamTest, SilenceAfterOutputEndsIt) {
    start();
    FakeAnswer silent = events({delta("a")});
    silent.silent = true;  // the backend's stall is 200 ms
    backends_.answers = {silent};
    const FakeClient& client = ask(kStream);
    EXPECT_THAT(client.got, HasSubstr("\"error\""));
    EXPECT_TRUE(client.ended);
    EXPECT_TRUE(counted(R"(spillway_attempts_total{backend="one",outcome="timeout"} 1)")) << metrics();
}

TEST_F(StreamTest, HeartbeatsKeepAClientThatWaits) {
    start("stream: {heartbeat: 40ms}\nlimits: {request_timeout: 300ms}\n");
    FakeAnswer never = events({});
    never.no_answer = true;
    backends_.answers = {never};
    const FakeClient& client = ask(kStream);
    EXPECT_EQ(client.status, 200U) << "the head went down with the first heartbeat";
    EXPECT_THAT(client.fields(), HasSubstr("content-type: text/event-stream"));
    EXPECT_TRUE(client.got.starts_with(":")) << client.got;
    EXPECT_THAT(client.got, HasSubstr(R"("code":"timeout")")) << "so its refusal is an event";
    EXPECT_TRUE(client.ended);
}

TEST_F(StreamTest, AWholeAnswerAfterAHeartbeatIsAnEvent) {
    start("stream: {heartbeat: 40ms}\n");
    FakeAnswer late = failure(400, "invalid_prompt");
    late.delay = std::chrono::milliseconds(150);
    backends_.answers = {late};
    const FakeClient& client = ask(kStream);
    EXPECT_EQ(client.status, 200U) << "the head went down with the first heartbeat";
    EXPECT_TRUE(client.got.starts_with(":")) << client.got;
    EXPECT_THAT(client.got, HasSubstr("data: {\"error\""));
    EXPECT_THAT(client.got, HasSubstr("invalid_prompt"));
    EXPECT_TRUE(client.ended);
}

TEST_F(StreamTest, AStreamOfResponsesIsRememberedByItsId) {
    start();
    const std::string created =
        "event: response.created\ndata: "
        "{\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":"
        "\"resp_0123456789abcdef\",\"status\":\"in_progress\"}}\n\n";
    const std::string text =
        "event: response.output_text.delta\ndata: "
        "{\"type\":\"response.output_text.delta\",\"sequence_number\":1,"
        "\"delta\":\"hi\"}\n\n";
    const std::string completed =
        "event: response.completed\ndata: "
        "{\"type\":\"response.completed\",\"sequence_number\":2,\"response\":{\"id\":"
        "\"resp_0123456789abcdef\",\"status\":\"completed\",\"usage\":{\"input_tokens\":5,\"output_tokens\":"
        "3,\"total_"
        "tokens\":8}}}\n\n";
    backends_.answers = {
        failure(500), events({created, text, completed}),
        json(R"({"id":"resp_0123456789abcdef","object":"response","status":"completed","output":[]})")};
    const FakeClient& client =
        ask(R"({"model":"gpt-4o","input":"hi","stream":true})", "POST", "/v1/responses");
    EXPECT_EQ(client.got, created + text + completed);
    EXPECT_TRUE(counted(R"(spillway_tokens_total{client="web",deployment="gpt-4o",kind="completion"} 3)"));
    ask("", "GET", "/v1/responses/resp_0123456789abcdef");
    EXPECT_THAT(asked_backends(), ElementsAre(0, 1, 1));
}

}  // namespace
}  // namespace spillway::gateway
