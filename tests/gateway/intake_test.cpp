#include "gateway/intake.hpp"

#include "gateway/station_fixture.hpp"

namespace spillway::gateway {
namespace {

TEST(Intake, KnowsProbes) {
    EXPECT_TRUE(is_probe("/healthz"));
    EXPECT_TRUE(is_probe("/status-0123456789abcdef"));
    EXPECT_FALSE(is_probe("/healthz?x"));
}

TEST(Intake, KeepsAPlainRequestIdAndMakesOneOtherwise) {
    Rng rng(1);
    std::string id;
    assign_request_id(id, "my-id_1.2:3", rng);
    EXPECT_EQ(id, "my-id_1.2:3");
    for (const std::string& bad : {std::string(), std::string("a b"), std::string(129, 'a')}) {
        std::string made;
        assign_request_id(made, bad, rng);
        EXPECT_EQ(made.size(), 32U);
        EXPECT_EQ(made.find_first_not_of("0123456789abcdef"), std::string::npos) << made;
    }
}

TEST(Intake, ReadsWhoAndWhat) {
    Station s;
    Asked& a = s.ask(head_of("POST", "/openai/deployments/gpt-4o/chat/completions?api-version=1"),
                     R"({"messages":[{"role":"user","content":"hello"}],"stream":true,"user":"u1"})");
    ASSERT_FALSE(s.refusal) << s.refusal->message;
    EXPECT_EQ(a.account->name(), "web");
    EXPECT_EQ(a.deployment, "gpt-4o");
    EXPECT_EQ(&a.operation(), &api::operations::chat);
    EXPECT_TRUE(a.scan.stream);
    EXPECT_GT(a.estimate.charge, 0U);
    EXPECT_EQ(s.chat(R"({"model":"o1","messages":[]})").deployment, "o1");
    EXPECT_EQ(s.chat(R"({"model":"gpt-4o"})", "bound-key-000000001").team, "red");
}

TEST(Intake, RefusesWhatCannotBeServed) {
    Station s;
    const auto status = [&](const http::RequestHead& head, std::string_view body = "{}",
                            std::string_view key = "web-key-0000000001") {
        s.ask(head, body, key);
        return s.refusal ? s.refusal->status : 0U;
    };
    EXPECT_EQ(status(head_of("POST", "/v1/chat/completions"), "{}", "wrong-key-00000001"), 401U);
    EXPECT_EQ(status(head_of("POST", "/v1/chat/completions"), "[1]"), 400U);
    EXPECT_EQ(status(head_of("POST", "/v1/chat/completions"), ""), 400U);
    EXPECT_EQ(status(head_of("POST", "/v1/../x")), 400U);
    EXPECT_EQ(status(head_of("GET", "/nothing/here")), 404U);
    EXPECT_EQ(status(head_of("POST", "/openai/deployments/%2e%2e/embeddings")), 400U);
    EXPECT_EQ(status(head_of("TRACE", "/v1/models")), 405U);
    EXPECT_EQ(status(head_of("CONNECT", "/v1/models")), 405U);
    EXPECT_EQ(status(head_of("GET", "/v1/realtime", {{"upgrade", "websocket"}})), 426U);
    EXPECT_EQ(status(head_of("POST", "/v1/files", {{"content-type", "text/plain"}}), "not json at all"), 0U);
    EXPECT_EQ(status(head_of("POST", "/v1/batches"), "not json at all"), 400U)
        << "it could name what is another client's";
}

TEST(Intake, ForgivesSlashesAndMissingPrefixes) {
    Station s;
    EXPECT_EQ(
        s.ask(head_of("POST", "//openai//deployments/gpt-4o/embeddings?api-version=1"), "{}").deployment,
        "gpt-4o");
    EXPECT_EQ(s.asked.target, "/openai/deployments/gpt-4o/embeddings?api-version=1");
    EXPECT_EQ(&s.asked.operation(), &api::operations::embeddings);
    s.ask(head_of("POST", "/responses"), R"({"model":"gpt-4o"})");
    EXPECT_FALSE(s.refusal);
    EXPECT_EQ(&s.asked.operation(), &api::operations::responses);
}

TEST(Intake, AListOfDeploymentsDoesNotCloseWhatHasNone) {
    Station s;
    constexpr std::string_view bound = "bound-key-000000001";
    const auto refused = [&](std::string_view method, std::string_view target, std::string_view body = "") {
        s.ask(head_of(method, target), body, bound);
        return s.refusal.has_value();
    };
    EXPECT_FALSE(refused("GET", "/v1/models"));
    EXPECT_FALSE(refused("GET", "/v1/responses/resp_0123456789"));
    EXPECT_FALSE(refused("POST", "/v1/responses", R"({"previous_response_id":"resp_0123456789"})"));
    EXPECT_FALSE(refused("POST", "/v1/chat/completions", R"({"model":"gpt-4o"})"));
    EXPECT_TRUE(refused("POST", "/v1/chat/completions", R"({"model":"o1"})"));
    EXPECT_EQ(s.refusal->code, "deployment_not_allowed");
    EXPECT_TRUE(refused("POST", "/v1/chat/completions", "{}")) << "some backend would choose one";
}

TEST(Intake, ReadsTheModelOfAForm) {
    Station s;
    const std::string body =
        "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b--\r\n";
    const auto head =
        head_of("POST", "/v1/audio/transcriptions", {{"content-type", "multipart/form-data; boundary=b"}});
    const Asked& a = s.ask(head, body, "bound-key-000000001");
    EXPECT_FALSE(s.refusal);
    EXPECT_EQ(a.deployment, "whisper-1");
    EXPECT_EQ(body.substr(a.form_model.offset, a.form_model.length), "whisper-1");
}

TEST(Intake, FindsWhatARequestNames) {
    Station s;
    const auto named = [&](std::string_view method, std::string_view target, std::string_view body = "") {
        const auto ids = s.ask(head_of(method, target), body).affinity.ids.view();
        return std::vector<std::string>(ids.begin(), ids.end());
    };
    using Ids = std::vector<std::string>;
    EXPECT_EQ(named("GET", "/v1/responses/resp_0123456789"), Ids{"resp_0123456789"});
    EXPECT_EQ(named("GET", "/openai/v1/responses/resp%5F0123456789"), Ids{"resp_0123456789"})
        << "as it is read";
    EXPECT_EQ(named("GET", "/v1/files/f1/content"), Ids{"f1"}) << "known by its place";
    EXPECT_EQ(named("GET", "/v1/files?after=file-0123456789&limit=2"), Ids{"file-0123456789"});
    EXPECT_EQ(
        named("POST", "/v1/responses", R"({"model":"m","previous_response_id":"resp\u005f0123456789"})"),
        Ids{"resp_0123456789"});
    EXPECT_EQ(
        named(
            "POST", "/v1/responses",
            R"({"model":"m","conversation":{"id":"conv_0123456789"},"input":[{"content":[)"
            R"({"type":"input_file","file_id":"file-0000000001"},{"type":"input_text","text":"file-no"}]}],)"
            R"("tools":[{"type":"file_search","vector_store_ids":["vs_0000000001","vs_0000000002"]},)"
            R"({"type":"code_interpreter","container":{"type":"auto","file_ids":["assistant-00000001"]}},)"
            R"({"type":"code_interpreter","container":"cntr_000000001"}]})"),
        (Ids{"conv_0123456789", "file-0000000001", "vs_0000000001", "vs_0000000002", "assistant-00000001",
             "cntr_000000001"}));
    EXPECT_EQ(
        named(
            "POST", "/v1/chat/completions",
            R"({"model":"m","messages":[{"content":[{"type":"file","file":{"file_id":"file-00000001"}}]}]})"),
        Ids{"file-00000001"});
    EXPECT_EQ(
        named("POST", "/v1/batches", R"({"input_file_id":"file-00000001","metadata":{"x":"file-00000002"}})"),
        Ids{"file-00000001"});
    EXPECT_EQ(named("POST", "/v1/embeddings", R"({"model":"m","input":"file-00000001"})"), Ids{});
    EXPECT_EQ(named("GET", "/v1/models/gpt-4o"), Ids{}) << "a name";
    EXPECT_EQ(named("POST", "/v1/threads/runs", R"({"assistant_id":"asst_00000001"})"), Ids{"asst_00000001"});
}

TEST(Intake, SendsLongPromptsThatBeginAlikeToOneBackend) {
    Station s;
    const std::string prompt(6000, 'p');
    const Asked& a = s.chat(R"({"model":"m","messages":[{"role":"user","content":")" + prompt + R"("}]})");
    EXPECT_NE(a.affinity.prefix, 0U);
}

TEST(Cors, AnswersPreflightsOfOriginsThatMayAsk) {
    const auto head = head_of("OPTIONS", "/v1/models",
                              {{"origin", "https://app.example"},
                               {"access-control-request-method", "POST"},
                               {"access-control-request-headers", "authorization, content-type"}});
    EXPECT_TRUE(is_preflight(head));
    EXPECT_FALSE(is_preflight(head_of("OPTIONS", "/v1/models")));
    EXPECT_EQ(preflight_fields(head, {}), "");
    EXPECT_EQ(preflight_fields(head, {"https://other.example"}), "");
    const std::string fields = preflight_fields(head, {"https://app.example"});
    EXPECT_NE(fields.find("access-control-allow-origin: https://app.example\r\n"), std::string::npos);
    EXPECT_NE(fields.find("access-control-allow-headers: authorization, content-type\r\n"),
              std::string::npos);
    EXPECT_NE(fields.find("vary: Origin\r\n"), std::string::npos);
    EXPECT_NE(cors_fields("https://x.example", {"*"}).find("allow-origin: *\r\n"), std::string::npos);
}

}  // namespace
}  // namespace spillway::gateway
