#pragma once
// A request's whole life in a worker that listens nowhere, between a client and backends made of memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "fake_client.hpp"
#include "fake_upstream.hpp"
#include "gateway/request.hpp"
#include "gateway/worker.hpp"
#include "identity/keepers.hpp"
#include "snapshot_of.hpp"

namespace spillway::gateway {

inline constexpr std::string_view kChat = R"({"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]})";
inline constexpr std::string_view kStream =
    R"({"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hi"}]})";
inline constexpr std::string_view kAnswer =
    R"({"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,)"
    R"("message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}})";

inline FakeAnswer json(std::string_view body, unsigned status = 200) {
    FakeAnswer out;
    out.status = status;
    out.pieces = {std::string(body)};
    return out;
}
inline FakeAnswer failure(unsigned status, std::string_view code = "server_error",
                          std::vector<std::pair<std::string, std::string>> more = {}) {
    FakeAnswer out = json(
        R"({"error":{"message":"no","type":"server_error","code":")" + std::string(code) + R"("}})", status);
    for (auto& field : more) out.fields.push_back(std::move(field));
    return out;
}
inline FakeAnswer events(std::vector<std::string> pieces) {
    FakeAnswer out;
    out.fields = {{"content-type", "text/event-stream"}};
    out.chunked = true;
    out.pieces = std::move(pieces);
    return out;
}
inline FakeAnswer unreachable(NetKind kind = NetKind::connect) {
    FakeAnswer out;
    out.no_connection = kind;
    return out;
}
inline std::string delta(std::string_view text) {
    return R"(data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"content":")" +
           std::string(text) + "\"}}]}\n\n";
}
inline const std::string kStop =
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},"
    "\"finish_reason\":\"stop\"}]}\n\n";
inline const std::string kUsage =
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{\"prompt_tokens\":8,"
    "\"completion_tokens\":2,\"total_tokens\":10}}\n\n";
inline const std::string kDone = "data: [DONE]\n\n";

class RequestLife : public testing::Test {
protected:
    /// Two Azure resources of the same deployment, and an OpenAI-compatible one for speech; at addresses, as
    /// a name would be looked up, by a thread that outlives the test.
    void start(std::string_view more = "", std::string_view limits = "{}") {
        const std::string text =
            "clients:\n  - {name: web, key: web-key-0000000001, limits: " + std::string(limits) +
            "}\n"
            "backends:\n"
            "  - {name: one, url: 'http://127.0.0.1:1', kind: azure, api_key: key-1,\n"
            "     priority: 1, models: [gpt-4o], deployments: {gpt-4o: four-o}, timeouts: {stall: 200ms}}\n"
            "  - {name: two, url: 'http://127.0.0.2:1', kind: azure, api_key: key-2,\n"
            "     priority: 2, models: [gpt-4o], deployments: {gpt-4o: four-o}}\n"
            "  - {name: three, url: 'http://127.0.0.3:1/v1', kind: openai, api_key: key-3,\n"
            "     models: [tts-1]}\n" +
            std::string(more);
        const auto made = snapshot_of(text, books_.quotas, keepers_, books_.objects);
        log_ = telemetry::make_logger(spdlog::level::off);
        worker_.emplace(Worker::Shared{registry_, access_log_, books_, *log_, memory_, addresses_, shortage_,
                                       refused_certificates_},
                        made, 7);
    }

    /// Runs one request to its end.
    FakeClient& ask(std::string_view body, std::string_view method = "POST",
                    std::string_view target = "/v1/chat/completions", std::vector<http::Field> fields = {}) {
        make(body, method, target, std::move(fields));
        return run();
    }
    /// The same in two steps, for clients that do more than wait.
    FakeClient& make(std::string_view body, std::string_view method = "POST",
                     std::string_view target = "/v1/chat/completions", std::vector<http::Field> fields = {}) {
        fields.push_back({"api-key", "web-key-0000000001"});
        return client_.emplace(worker_->loop(), method, target, std::move(fields), body);
    }
    FakeClient& run() {
        http::Exchange exchange = client_->exchange();
        RequestMemory memory;
        bool over = false;
        {
            std::optional<Request> request;
            const auto done = [&](const std::exception_ptr& failed) {
                EXPECT_FALSE(failed);
                over = true;
                worker_->loop().stop();
            };
            request.emplace(*worker_, exchange, backends_, memory);
            worker_->loop().restart();
            worker_->loop().spawn(request->run(), done);
            worker_->loop().run_for(std::chrono::seconds(10));
            EXPECT_TRUE(over) << "the request does not end";
        }
        asked_ = memory.asked.id;
        return *client_;
    }
    [[nodiscard]] std::string metrics() const { return registry_.render(); }
    [[nodiscard]] bool counted(std::string_view line) const {
        return metrics().find(std::string(line) + "\n") != std::string::npos;
    }
    [[nodiscard]] std::vector<int> asked_backends() const {
        std::vector<int> out;
        for (const auto& r : backends_.requests) out.push_back(static_cast<int>(r.backend));
        return out;
    }
    quota::Subject& web() { return *books_.quotas.find(quota::SubjectKind::client, "web"); }

    telemetry::Registry registry_{2};
    MemoryBudget memory_{std::size_t{64} * 1024 * 1024};
    http::AddressCounts addresses_;
    Shortage shortage_;
    CertificateRefusals refused_certificates_;
    Books books_;
    identity::Keepers keepers_;
    std::shared_ptr<telemetry::Logger> log_;
    telemetry::AccessLog* access_log_ = nullptr;
    std::optional<Worker> worker_;
    std::optional<FakeClient> client_;
    FakeUpstream backends_;
    std::string asked_;  ///< the last request's id
};

}  // namespace spillway::gateway
