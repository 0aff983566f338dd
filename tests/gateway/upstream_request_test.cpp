#include "gateway/upstream_request.hpp"

#include "gateway/answer_head.hpp"
#include "gateway/request_fields.hpp"
#include "gateway/station_fixture.hpp"

namespace spillway::gateway {
namespace {

struct Written : Station {
    /// Asks, and writes the request for a backend.
    const std::string& write(const http::RequestHead& head, std::string_view body, routing::BackendIndex to,
                             bool ask_usage = true) {
        ask(head, body);
        EXPECT_FALSE(refusal) << refusal->message;
        const UpstreamTarget target{.backend = snapshot->config.backends[to],
                                    .host_line = snapshot->host_lines[to],
                                    .absolute = snapshot->absolute_prefixes[to],
                                    .credential = *snapshot->credentials[to],
                                    .clients = snapshot->clients,
                                    .ask_usage = ask_usage};
        EXPECT_TRUE(request.write(asked, head, body, target, now.wall));
        sent.clear();
        for (const auto piece : request.body()) sent += piece;
        return request.head();
    }
    UpstreamRequest request;
    std::string sent;
};

constexpr std::string_view kBody = R"({"model":"gpt-4o","stream":true,"messages":[]})";

TEST(UpstreamRequest, IsSpeltAsItsBackendWantsIt) {
    Written w;
    const auto head = head_of("POST", "/openai/deployments/gpt-4o/chat/completions?api-version=1");
    EXPECT_TRUE(w.write(head, R"({"messages":[]})", 0)
                    .starts_with("POST /openai/deployments/four-o/chat/completions?api-version=1 HTTP/1.1\r\n"
                                 "Host: one.example\r\napi-key: backend-key-1\r\n"));
    EXPECT_EQ(w.sent, R"({"messages":[]})");
    EXPECT_TRUE(w.write(head, R"({"messages":[]})", 1)
                    .starts_with("POST /v1/chat/completions HTTP/1.1\r\nHost: two.example\r\n"
                                 "Authorization: Bearer backend-key-2\r\nOpenAI-Organization: org-1\r\n"
                                 "OpenAI-Project: proj-1\r\n"));
    EXPECT_NE(w.sent.find(R"("model":"gpt-4o")"), std::string::npos) << w.sent;
    EXPECT_NE(w.request.head().find("content-length: " + std::to_string(w.sent.size()) + "\r\n"),
              std::string::npos);
}

TEST(UpstreamRequest, AsksForTheUsageWhereItMay) {
    Written w;
    const auto head = head_of("POST", "/v1/chat/completions");
    w.write(head, kBody, 0);
    EXPECT_TRUE(w.request.added_usage());
    EXPECT_NE(w.sent.find("include_usage"), std::string::npos);
    w.write(head, kBody, 0, false);
    EXPECT_FALSE(w.request.added_usage());
    EXPECT_EQ(w.sent.find("include_usage"), std::string::npos);
    w.write(head, R"({"model":"gpt-4o","stream":true,"data_sources":[{}],"messages":[]})", 0);
    EXPECT_FALSE(w.request.added_usage()) << "on your data takes no stream_options";
    w.write(head, R"({"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true},"messages":[]})",
            0);
    EXPECT_FALSE(w.request.added_usage()) << "the client wants to see it";
    w.write(head_of("POST", "/v1/embeddings"), R"({"model":"e","stream":true,"input":"x"})", 0);
    EXPECT_FALSE(w.request.added_usage());
}

TEST(UpstreamRequest, WritesTheModelOfAForm) {
    Written w;
    const std::string form =
        "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b\r\n"
        "Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nxx\r\n--b--\r\n";
    const auto head =
        head_of("POST", "/v1/audio/transcriptions", {{"content-type", "multipart/form-data; boundary=b"}});
    w.write(head, form, 1);
    EXPECT_NE(w.sent.find("\r\n\r\nmy-whisper\r\n--b\r\n"), std::string::npos) << w.sent;
    EXPECT_EQ(w.sent.size(), form.size() + 1);
    EXPECT_NE(w.request.head().find("content-length: " + std::to_string(w.sent.size())), std::string::npos);
}

TEST(UpstreamRequest, ShowsABackendOnlyWhatConcernsIt) {
    Written w;
    const auto head = head_of("POST", "/v1/chat/completions",
                              {{"Cookie", "session=1"},
                               {"X-Forwarded-For", "10.1.2.3"},
                               {"CF-Connecting-IP", "10.1.2.3"},
                               {"Referer", "https://intranet.example/"},
                               {"Origin", "https://intranet.example"},
                               {"Via", "1.1 proxy"},
                               {"Forwarded", "for=10.1.2.3"},
                               {"OpenAI-Organization", "theirs"},
                               {"Ocp-Apim-Subscription-Key", "web-key-0000000001"},
                               {"Content-Type", "application/json"},
                               {"User-Agent", "openai-python"},
                               {"X-Stainless-Lang", "python"},
                               {"x-ms-client-request-id", "abc"}});
    const std::string& up = w.write(head, R"({"model":"m"})", 0);
    for (const char* inside : {"session=1", "10.1.2.3", "intranet", "proxy", "theirs", "web-key"})
        EXPECT_EQ(up.find(inside), std::string::npos) << inside << " in " << up;
    for (const char* passed :
         {"application/json", "openai-python", "X-Stainless-Lang: python", "x-ms-client-request-id: abc"})
        EXPECT_NE(up.find(passed), std::string::npos) << passed << " in " << up;
}

TEST(RequestFields, AreAllowedByName) {
    for (const char* up :
         {"accept", "Content-Type", "OpenAI-Beta", "x-my-app", "Idempotency-Key", "range", "traceparent"})
        EXPECT_TRUE(goes_up(up)) << up;
    for (const char* inside :
         {"cookie", "api-key", "authorization", "x-api-key", "x-request-id", "host", "te", "dnt", "x-real-ip",
          "x-ms-client-principal", "sec-fetch-mode", "true-client-ip", "X-HTTP-Method-Override",
          "x-http-method", "x-method-override", "x-original-url"})
        EXPECT_FALSE(goes_up(inside)) << inside;
}

TEST(AnswerHead, KeepsCredentialsAndItsOwnFieldsBack) {
    http::ResponseHead head;
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, const char*>>{
             {"content-type", "application/json; charset=utf-8"},
             {"set-cookie", "a=b"},
             {"api-key", "backend-key"},
             {"x-request-id", "theirs"},
             {"x-spillway-backend", "spoofed"},
             {"access-control-allow-origin", "*"},
             {"x-ratelimit-remaining-tokens", "5"},
             {"x-ms-region", "Sweden"}})
        head.fields.add(name, value);
    std::string out;
    append_answer_fields(out, head, true);
    EXPECT_EQ(out,
              "content-type: application/json; charset=utf-8\r\nx-ms-region: Sweden\r\n"
              "x-spillway-upstream-request-id: theirs\r\n");
    out.clear();
    append_answer_fields(out, head, false);
    EXPECT_NE(out.find("x-ratelimit-remaining-tokens: 5"), std::string::npos);
    EXPECT_TRUE(is_json(head));
    EXPECT_FALSE(is_event_stream(head));
}

}  // namespace
}  // namespace spillway::gateway
