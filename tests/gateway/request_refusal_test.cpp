// What the gateway answers by itself.
#include "request_fixture.hpp"

namespace spillway::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

using RefusalTest = RequestLife;

TEST_F(RefusalTest, AProbeNeedsNoKey) {
    start();
    client_.emplace(worker_->loop(), "GET", "/healthz", std::vector<http::Field>{});
    const FakeClient& client = run();
    EXPECT_EQ(client.status, 200U);
    EXPECT_EQ(client.got, "ok\n");
}

TEST_F(RefusalTest, AStrangerIsRefused) {
    start();
    client_.emplace(worker_->loop(), "POST", "/v1/chat/completions",
                    std::vector<http::Field>{{"authorization", "Bearer wrong"}}, kChat);
    const FakeClient& client = run();
    EXPECT_EQ(client.status, 401U);
    EXPECT_THAT(client.got, HasSubstr("authentication_error"));
    EXPECT_TRUE(backends_.requests.empty());
    EXPECT_TRUE(counted("spillway_requests_in_flight 0")) << metrics();
}

TEST_F(RefusalTest, APageOfAKnownOriginMayAsk) {
    start("server: {cors: ['https://app.example']}\n");
    client_.emplace(worker_->loop(), "OPTIONS", "/v1/chat/completions",
                    std::vector<http::Field>{{"origin", "https://app.example"},
                                             {"access-control-request-method", "POST"},
                                             {"access-control-request-headers", "authorization"}});
    const FakeClient& client = run();
    EXPECT_EQ(client.status, 204U);
    EXPECT_THAT(client.fields(), HasSubstr("access-control-allow-origin: https://app.example\r\n"));
    EXPECT_THAT(client.fields(), HasSubstr("access-control-allow-headers: authorization\r\n"));
    backends_.answers = {json(kAnswer)};
    const FakeClient& answer =
        ask(kChat, "POST", "/v1/chat/completions", {{"origin", "https://app.example"}});
    EXPECT_THAT(answer.fields(), HasSubstr("access-control-allow-origin: https://app.example\r\n"));
}

TEST_F(RefusalTest, ModelsAreListedWithoutABackend) {
    start();
    const FakeClient& client = ask("", "GET", "/v1/models");
    EXPECT_EQ(client.status, 200U);
    EXPECT_THAT(client.got, HasSubstr(R"("id":"gpt-4o")"));
    EXPECT_THAT(client.got, HasSubstr(R"("id":"tts-1")"));
    EXPECT_THAT(client.fields(), HasSubstr("content-type: application/json\r\n"));
    EXPECT_TRUE(backends_.requests.empty());
}

TEST_F(RefusalTest, SaysWhatIsWrongWithARequest) {
    start();
    EXPECT_EQ(ask("{\"model\":", "POST").status, 400U);
    EXPECT_THAT(client_->got, HasSubstr("bad_json"));
    EXPECT_EQ(ask(kChat, "POST", "/elsewhere").status, 404U);
    EXPECT_EQ(ask(kChat, "BREW").status, 405U);
    EXPECT_THAT(client_->fields(), HasSubstr("allow: GET"));
    EXPECT_EQ(ask("", "GET", "/v1/realtime", {{"upgrade", "websocket"}}).status, 426U);
    EXPECT_TRUE(backends_.requests.empty());
}

TEST_F(RefusalTest, AClientsLimitHoldsAndIsShown) {
    start("", "{requests_per_minute: 1}");
    backends_.answers = {json(kAnswer)};
    const FakeClient& first = ask(kChat);
    EXPECT_EQ(first.status, 200U);
    EXPECT_THAT(first.fields(), HasSubstr("x-ratelimit-remaining-requests: 0\r\n"));
    const FakeClient& second = ask(kChat);
    EXPECT_EQ(second.status, 429U);
    EXPECT_THAT(second.got, HasSubstr("rate_limit_exceeded"));
    EXPECT_THAT(second.fields(), HasSubstr("retry-after: "));
    EXPECT_EQ(backends_.requests.size(), 1U);
}

TEST_F(RefusalTest, AnUnknownDeploymentIsNobodys) {
    start();
    const FakeClient& client = ask(R"({"model":"gpt-9","messages":[]})");
    EXPECT_EQ(client.status, 404U);
    EXPECT_THAT(client.got, HasSubstr("gpt-9"));
    EXPECT_TRUE(backends_.requests.empty());
}

}  // namespace
}  // namespace spillway::gateway
