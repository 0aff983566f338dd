// Whole resources over real sockets: what a client of Azure OpenAI sees.
#include "emulator/emulator.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>
#include <thread>

#include "base/loop.hpp"
#include "base/strings.hpp"
#include "blocking.hpp"

namespace spillway::emulator {
namespace {

using simdjson::dom::element;
using test::BlockingListener;
using test::BlockingSocket;
using test::free_port;

config::EmulatorConfig two_resources() {
    config::EmulatorConfig c;
    c.admin_port = free_port();
    for (const std::string name : {"east", "west"}) {
        config::EmulatedResource r;
        r.name = name;
        r.port = free_port();
        r.api_keys.emplace_back("right-key");
        for (const std::string model : {"gpt-4o", "text-embedding-3-small"}) {
            config::EmulatedDeployment d;
            d.name = d.model = model;
            d.tpm = 1'000'000'000;
            d.rpm = 1'000'000'000;
            d.latency = {.ttft = std::chrono::milliseconds(2),
                         .ttft_jitter = {},
                         .tokens_per_second = 20'000,
                         .jitter = 0.2};
            r.deployments.push_back(d);
        }
        c.resources.push_back(r);
    }
    return c;
}

struct Answer {
    int status = 0;
    std::string head;
    std::string body;  ///< without chunk sizes
    bool cut = false;  ///< the connection ended before the body did

    [[nodiscard]] std::string field(std::string_view name) const {
        std::string_view rest = head;
        while (!rest.empty()) {
            const std::string_view line = rest.substr(0, rest.find("\r\n"));
            rest.remove_prefix(std::min(rest.size(), line.size() + 2));
            const auto colon = line.find(':');
            if (colon != std::string_view::npos && iequals(line.substr(0, colon), name))
                return std::string(trim(line.substr(colon + 1)));
        }
        return {};
    }
};

/// A client that knows just enough HTTP; each request has a connection of its own.
Answer ask(std::uint16_t port, std::string_view method, std::string_view target, std::string_view body = {},
           std::string_view key = "right-key") {
    Answer out;
    const BlockingSocket socket(port);
    if (!socket.is_open()) return out;
    std::string request = std::string(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: x\r\n");
    request.append("Connection: close\r\nx-ms-client-request-id: mine\r\nContent-Length: ");
    request.append(std::to_string(body.size()))
        .append("\r\napi-key: ")
        .append(key)
        .append("\r\n\r\n")
        .append(body);
    socket.write(request);
    const std::string all = socket.read_all();
    const auto end = all.find("\r\n\r\n");
    if (end == std::string::npos) return out;
    out.head = all.substr(0, end);
    out.status = parse_int<int>(out.head.substr(9, 3)).value_or(0);
    std::string_view rest = std::string_view(all).substr(end + 4);
    if (out.field("transfer-encoding") != "chunked") {
        out.body = rest;
        out.cut = rest.size() < parse_int<std::size_t>(out.field("content-length")).value_or(0);
        return out;
    }
    for (;;) {
        const auto line = rest.find("\r\n");
        if (line == std::string_view::npos) break;
        const std::size_t size = std::stoul(std::string(rest.substr(0, line)), nullptr, 16);
        if (size == 0) return out;
        if (rest.size() < line + 2 + size + 2) break;
        out.body += rest.substr(line + 2, size);
        rest.remove_prefix(line + 2 + size + 2);
    }
    out.cut = true;
    return out;
}

class Running : public testing::Test {
protected:
    Running() : config_(two_resources()), emulator_(loop_, config_) {
        const auto started = emulator_.start();
        EXPECT_TRUE(started.has_value()) << (started ? "" : started.error().message);
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~Running() override {
        emulator_.stop();
        thread_.join();  // so this is also a test that nothing keeps the context from running dry
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    [[nodiscard]] std::uint16_t port(std::size_t i = 0) const { return config_.resources[i].port; }
    Answer chat(std::string_view body, std::size_t i = 0) const {
        return ask(port(i), "POST", "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
                   body);
    }
    void fault(std::string_view json) const {
        EXPECT_EQ(ask(config_.admin_port, "POST", "/faults", json).status, 200) << json;
    }
    [[nodiscard]] std::uint64_t stat(std::string_view name, std::size_t i = 0) {
        const std::string body = ask(config_.admin_port, "GET", "/stats").body;
        element root = parser_.parse(body);
        return root["resources"].at(i)[name].get_uint64();
    }
    element parsed(const Answer& a) { return parser_.parse(a.body); }

    /// The text of a chat stream, each event parsed on the way; `last` is what came before [DONE].
    std::string streamed_text(const Answer& a, std::string* last = nullptr) {
        std::string out;
        std::string_view rest = a.body;
        while (!rest.empty()) {
            const auto end = rest.find("\n\n");
            if (end == std::string_view::npos) ADD_FAILURE() << "cut within an event: " << rest;
            std::string_view event = rest.substr(0, end);
            rest.remove_prefix(std::min(rest.size(), end + 2));
            event.remove_prefix(event.find("data: ") + 6);
            if (event == "[DONE]") return out;
            const std::string text(event);
            if (last != nullptr) *last = text;
            const element e = parser_.parse(text);
            simdjson::dom::array choices;
            if (e["choices"].get(choices) != simdjson::SUCCESS || choices.size() == 0) continue;
            std::string_view piece;
            if (choices.at(0)["delta"]["content"].get(piece) == simdjson::SUCCESS) out += piece;
        }
        return out;
    }

    Loop loop_;
    config::EmulatorConfig config_;
    Emulator emulator_;
    std::thread thread_;
    simdjson::dom::parser parser_;
};

constexpr std::string_view hello = R"({"messages":[{"role":"user","content":"Say hello."}]})";

TEST_F(Running, AnswersAsAzureDoes) {
    const Answer a = chat(hello);
    ASSERT_EQ(a.status, 200);
    EXPECT_EQ(a.field("x-ms-client-request-id"), "mine");
    EXPECT_EQ(a.field("x-ms-region"), "Sweden Central");
    for (const char* name : {"apim-request-id", "x-request-id", "azureml-model-session", "date",
                             "x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens"})
        EXPECT_FALSE(a.field(name).empty()) << name;
    EXPECT_TRUE(a.field("retry-after").empty());
    const element e = parsed(a);
    EXPECT_EQ(std::string_view(e["model"]), "gpt-4o-2024-08-06");
    EXPECT_EQ(e["usage"]["total_tokens"].get_uint64().value(),
              e["usage"]["prompt_tokens"].get_uint64().value() +
                  e["usage"]["completion_tokens"].get_uint64().value());
    EXPECT_EQ(stat("served"), 1U);
    EXPECT_EQ(stat("requests", 1), 0U);
}

TEST_F(Running, StreamsTheSameTextWithUsageLast) {
    const Answer plain = chat(hello);
    const Answer stream = chat(
        R"({"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Say hello."}]})");
    ASSERT_EQ(stream.status, 200);
    EXPECT_FALSE(stream.cut);
    std::string last;
    const std::string text = streamed_text(stream, &last);
    const element whole = parsed(plain);
    EXPECT_EQ(text, std::string_view(whole["choices"].at(0)["message"]["content"]));
    const std::uint64_t tokens = whole["usage"]["completion_tokens"];
    const element end = parser_.parse(last);
    EXPECT_EQ(end["choices"].get_array().size(), 0U);
    EXPECT_EQ(end["usage"]["completion_tokens"].get_uint64().value(), tokens);
    EXPECT_EQ(stat("tokens_out"), 2 * tokens);
}

TEST_F(Running, RefusesInAzuresWords) {
    EXPECT_EQ(ask(port(), "POST", "/openai/v1/chat/completions", hello, "wrong").status, 401);
    EXPECT_EQ(ask(port(), "POST", "/openai/deployments/gpt-4o/chat/completions", hello).status, 404)
        << "no version";
    const Answer none =
        ask(port(), "POST", "/openai/deployments/no/chat/completions?api-version=2024-10-21", hello);
    EXPECT_EQ(none.status, 404);
    EXPECT_EQ(std::string_view(parsed(none)["error"]["code"]), "DeploymentNotFound");
    EXPECT_EQ(chat("{").status, 400);
    EXPECT_EQ(ask(port(), "GET", "/openai/v1/chat/completions").status, 405);
    const Answer wrong_model =
        ask(port(), "POST", "/openai/v1/embeddings", R"({"model":"gpt-4o","input":"a"})");
    EXPECT_EQ(std::string_view(parsed(wrong_model)["error"]["code"]), "OperationNotSupported");
    const Answer filtered = chat(R"({"messages":[{"role":"user","content":"trigger content_filter"}]})");
    EXPECT_EQ(filtered.status, 400);
    EXPECT_EQ(std::string_view(parsed(filtered)["error"]["innererror"]["code"]),
              "ResponsibleAIPolicyViolation");
    EXPECT_EQ(stat("errors"), 7U);
}

TEST_F(Running, KeepsResponsesOnTheirResource) {
    const std::string target = "/openai/v1/responses";
    const Answer first = ask(port(), "POST", target, R"({"model":"gpt-4o","input":"Say hello."})");
    ASSERT_EQ(first.status, 200);
    const std::string id(std::string_view(parsed(first)["id"]));
    EXPECT_EQ(ask(port(), "GET", target + "/" + id).body, first.body);
    const std::string next = R"({"model":"gpt-4o","input":"And?","previous_response_id":")" + id + "\"}";
    EXPECT_EQ(ask(port(), "POST", target, next).status, 200);
    EXPECT_EQ(ask(port(1), "POST", target, next).status, 400);
    EXPECT_EQ(ask(port(), "DELETE", target + "/" + id).status, 200);
    EXPECT_EQ(ask(port(), "GET", target + "/" + id).status, 404);
}

TEST_F(Running, StreamsTypedEventsInOrder) {
    const Answer a = ask(port(), "POST", "/openai/v1/responses",
                         R"({"model":"gpt-4o","input":"Say hello.","stream":true})");
    std::uint64_t expected = 0;
    std::string text;
    std::string type;
    std::string_view rest = a.body;
    while (!rest.empty()) {
        const std::string_view event = rest.substr(0, rest.find("\n\n"));
        rest.remove_prefix(std::min(rest.size(), event.size() + 2));
        const std::string data(event.substr(event.find("data: ") + 6));
        const element e = parser_.parse(data);
        type = std::string_view(e["type"]);
        EXPECT_TRUE(event.starts_with("event: " + type + "\n"));
        EXPECT_EQ(e["sequence_number"].get_uint64().value(), expected++);
        if (type == "response.output_text.delta") text += std::string_view(e["delta"]);
        if (type == "response.completed") {
            EXPECT_EQ(text, std::string_view(e["response"]["output"].at(0)["content"].at(0)["text"]));
        }
    }
    EXPECT_EQ(type, "response.completed");
}

TEST_F(Running, MeetsFaultsOnCommand) {
    fault(R"({"resource":1,"kind":"429","count":1,"retry_after":7})");
    const Answer throttled = chat(hello);
    EXPECT_EQ(throttled.status, 429);
    EXPECT_EQ(throttled.field("retry-after"), "7");
    EXPECT_EQ(throttled.field("retry-after-ms"), "7000");
    EXPECT_EQ(chat(hello).status, 200) << "only one";
    fault(R"({"resource":"east","kind":"429","count":1,"retry_after":"none",
        "headers":{"x-rate-limit-reset-tokens":"55"}})");
    const Answer odd = chat(hello);
    EXPECT_EQ(odd.field("retry-after"), "");
    EXPECT_EQ(odd.field("x-rate-limit-reset-tokens"), "55");
    fault(R"({"kind":"500"})");
    EXPECT_EQ(chat(hello, 0).status, 500);
    EXPECT_EQ(chat(hello, 1).status, 500);
    EXPECT_EQ(ask(config_.admin_port, "DELETE", "/faults").status, 200);
    EXPECT_EQ(chat(hello).status, 200);
    EXPECT_EQ(stat("throttled"), 2U);
    EXPECT_EQ(ask(config_.admin_port, "POST", "/faults", R"({"resource":3,"kind":"500"})").status, 400);
}

TEST_F(Running, BreaksStreamsWhereTold) {
    constexpr std::string_view body =
        R"({"stream":true,"messages":[{"role":"user","content":"A story of rain."}]})";
    fault(R"({"resource":1,"kind":"cut","count":1,"after_chunks":0})");
    const Answer early = chat(body);
    EXPECT_TRUE(early.cut);
    EXPECT_NE(early.body.find("\"role\":\"assistant\""), std::string::npos);
    EXPECT_EQ(streamed_text(early), "");
    fault(R"({"resource":1,"kind":"stream_error","count":1,"after_chunks":5})");
    std::string last;
    const Answer late = chat(body);
    EXPECT_FALSE(late.cut);
    EXPECT_FALSE(streamed_text(late, &last).empty());
    EXPECT_TRUE(parser_.parse(last)["error"]["message"].is_string());
    fault(R"({"resource":1,"kind":"cut","count":1})");
    EXPECT_TRUE(chat(hello).cut) << "a plain answer, too";
    EXPECT_EQ(chat(hello).status, 200);
}

TEST_F(Running, ListensNoMoreWhileItRefuses) {
    fault(R"({"resource":1,"kind":"refuse"})");
    EXPECT_EQ(chat(hello).status, 0);
    EXPECT_EQ(chat(hello, 1).status, 200);
    EXPECT_EQ(ask(config_.admin_port, "DELETE", "/faults").status, 200);
    EXPECT_EQ(chat(hello).status, 200);
}

TEST_F(Running, StopsForAClientThatLeaves) {
    fault(R"({"resource":1,"kind":"slow","tokens_per_second":1,"ttft":0})");
    {
        const BlockingSocket socket(port());
        const std::string body =
            R"({"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"A story"}]})";
        socket.write(
            "POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\napi-key: right-key\r\n"
            "Content-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body);
        std::string got;
        while (got.find("\"content\":\"It") == std::string::npos) got += socket.read_some();
        EXPECT_EQ(stat("active"), 1U);
    }
    const Mono end = mono_now() + std::chrono::seconds(5);
    while (stat("cancelled") == 0 && mono_now() < end) std::this_thread::yield();
    EXPECT_EQ(stat("cancelled"), 1U);
    EXPECT_EQ(stat("active"), 0U);
}

TEST(Emulator, NamesThePortThatIsInUse) {
    Loop loop;
    const BlockingListener taken;
    auto config = two_resources();
    config.resources[1].port = taken.port();
    Emulator emulator(loop, config);
    const auto started = emulator.start();
    ASSERT_FALSE(started.has_value());
    EXPECT_NE(started.error().message.find(std::to_string(config.resources[1].port)), std::string::npos);
}

TEST(Emulator, SpreadsOverThreads) {
    Loop one;
    Loop two;
    Loop* const both[] = {&one, &two};
    const auto config = two_resources();
    Emulator emulator(both, config);
    ASSERT_TRUE(emulator.start().has_value());
    std::thread first([&] { one.run(); });
    std::thread second([&] { two.run(); });
    for (const auto& r : config.resources)
        EXPECT_EQ(
            ask(r.port, "POST", "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", hello)
                .status,
            200);
    const Answer stats = ask(config.admin_port, "GET", "/stats");
    simdjson::dom::parser parser;
    const element west = simdjson::dom::element(parser.parse(stats.body))["resources"].at(1);
    EXPECT_EQ(west["name"].get_string().value(), "west");
    // Its minute began with the first request, or up to a minute before.
    const double reset = west["deployments"].at(0)["reset_tokens"].get_double();
    EXPECT_GT(reset, 0);
    EXPECT_LE(reset, 60);
    emulator.stop();
    first.join();
    second.join();
}

}  // namespace
}  // namespace spillway::emulator
