// The chat server as its page sees it, with a scripted model behind it: all in one event loop.
#include "chat/server.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/loop.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "fake_model.hpp"
#include "http/client.hpp"
#include "sample_pdf.hpp"

namespace spillway::chat {
namespace {

using test::FakeModel;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

struct Answered {
    unsigned status = 0;
    std::string body;
    std::string cookie;
    std::string type;
    std::string policy;
};

std::string between(std::string_view text, std::string_view before, std::string_view after) {
    const auto at = text.find(before);
    if (at == std::string_view::npos) return {};
    const auto begin = at + before.size();
    return std::string(text.substr(begin, text.find(after, begin) - begin));
}

constexpr std::array<http::Asset, 2> page = {{{"index.html", "PAGE"}, {"assets/a.js", "CODE"}}};

class ChatServerTest : public ::testing::Test {
protected:
    ChatServerTest() {
        ModelSettings model;
        model.host = "azure_custom";
        model.url.host = "127.0.0.1";
        model.url.port = model_.port();
        model.chat_target = "/chat";
        model.embeddings_target = "/embeddings";
        model.chat_model = "gpt-4o";
        model.embedding_model = "emb";
        model.auth_line = config::Secret("api-key: the-key\r\n");
        server_.emplace(loop_, ServerSettings{}, std::move(model), Store::open(":memory:").value(), page);
        server_->start().value();
        http::OriginOptions options;
        options.host = "127.0.0.1";
        options.port = server_->port();
        origin_.emplace(loop_, std::move(options));
    }
    ~ChatServerTest() override {
        // Connections end within the loop, before what they refer to goes.
        server_->close();
        model_.close();
        origin_.reset();
        loop_.restart();
        loop_.run_for(std::chrono::milliseconds(50));
        server_.reset();
    }

    /// Runs `work` to its end.
    template <class Work>
    void run(Work work) {
        std::exception_ptr error;
        bool done = false;
        loop_.spawn(std::move(work), [&](std::exception_ptr e) {
            error = e;
            done = true;
            loop_.stop();
        });
        loop_.restart();
        loop_.run_for(std::chrono::seconds(30));
        ASSERT_TRUE(done) << "not within 30 s";
        if (error) std::rethrow_exception(error);
    }

    [[nodiscard]] std::string head(std::string_view method, std::string_view target, std::size_t size,
                                   std::string_view type, std::string_view more = {}) const {
        std::string out = fmt::format("{} {} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\naccept-encoding: gzip\r\n",
                                      method, target, server_->port());
        if (method != "GET") out += fmt::format("content-type: {}\r\ncontent-length: {}\r\n", type, size);
        if (!cookie_.empty()) out += fmt::format("cookie: {}\r\n", cookie_);
        return out.append(more).append("\r\n");
    }

    Task<Answered> send(std::string method, std::string target, std::string body = {},
                        std::string type = "application/json", std::string more = {}) {
        const std::string request = head(method, target, body.size(), type, more);
        auto up = (co_await origin_->connect(false)).value();
        const std::array<std::string_view, 2> pieces = {request, body};
        (co_await up.send(pieces, std::chrono::seconds(5))).value();
        const auto* answer = (co_await up.read_head(std::chrono::seconds(20))).value();
        Answered out;
        out.status = answer->status;
        out.cookie = answer->fields.get("set-cookie");
        out.type = answer->fields.get("content-type");
        out.policy = answer->fields.get("content-security-policy");
        for (;;) {
            const std::string_view piece = (co_await up.read_body(std::chrono::seconds(20))).value();
            if (piece.empty()) break;
            out.body += piece;
        }
        up.done();
        co_return out;
    }

    /// A session and a conversation in it.
    Task<std::string> begin() {
        const Answered session = co_await send("POST", "/api/session", "{}");
        cookie_ = session.cookie.substr(0, session.cookie.find(';'));
        const Answered made = co_await send("POST", "/api/conversations", "{}");
        co_return between(made.body, "\"id\":\"", "\"");
    }
    Task<Answered> ask(std::string conversation, std::string text, std::string parent = {}) {
        return send("POST", "/api/conversations/" + conversation + "/turns",
                    fmt::format(R"({{"parent":"{}","text":"{}"}})", parent, text));
    }

    /// Asks, and leaves reading the answer to the caller.
    Task<http::Upstream> begin_turn(std::string conversation, std::string text) {
        return begin_stream("POST", "/api/conversations/" + conversation + "/turns",
                            fmt::format(R"({{"text":"{}"}})", text));
    }
    Task<http::Upstream> begin_stream(std::string method, std::string target, std::string body) {
        const std::string request = head(method, target, body.size(), "application/json");
        auto up = (co_await origin_->connect(true)).value();
        const std::array<std::string_view, 2> pieces = {request, body};
        (co_await up.send(pieces, std::chrono::seconds(5))).value();
        (co_await up.read_head(std::chrono::seconds(5))).value();
        co_return up;
    }

    Loop loop_;
    FakeModel model_{loop_};
    std::optional<ChatServer> server_;
    std::optional<http::Origin> origin_;
    std::string cookie_;
};

TEST_F(ChatServerTest, ServesThePageLockedDown) {
    run([&]() -> Task<void> {
        const Answered index = co_await send("GET", "/");
        EXPECT_EQ(index.status, 200U);
        EXPECT_EQ(index.body, "PAGE");
        EXPECT_THAT(index.policy, AllOf(HasSubstr("default-src 'none'"), HasSubstr("script-src 'self';"),
                                        Not(HasSubstr("unsafe"))));
        const Answered code = co_await send("GET", "/assets/a.js");
        EXPECT_THAT(code.type, StartsWith("text/javascript"));
        EXPECT_EQ((co_await send("GET", "/assets/../x")).status, 404U);
        EXPECT_EQ((co_await send("GET", "/healthz")).status, 200U);
    });
}

TEST_F(ChatServerTest, NeedsASessionAndTheOwnOrigin) {
    run([&]() -> Task<void> {
        EXPECT_EQ((co_await send("GET", "/api/conversations")).status, 401U);
        const Answered foreign = co_await send("POST", "/api/session", "{}", "application/json",
                                               "origin: http://evil.example\r\n");
        EXPECT_EQ(foreign.status, 403U);
        EXPECT_EQ((co_await send("POST", "/api/session", "{}", "text/plain")).status, 415U);
        const Answered session = co_await send("POST", "/api/session", "{}");
        EXPECT_THAT(session.cookie, AllOf(HasSubstr("HttpOnly"), HasSubstr("SameSite=Strict")));
        EXPECT_THAT(session.body, Not(HasSubstr("the-key")));
        EXPECT_THAT(session.body, HasSubstr("\"model\":\"gpt-4o\""));
    });
}

TEST_F(ChatServerTest, StreamsAnAnswerAndKeepsIt) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        co_await send("PUT", "/api/settings", R"({"follow_ups":true})");
        model_.scripts.push_back(
            {200, {"Hello", " there"}, false, false, "x-spillway-backend: r2\r\nx-spillway-attempts: 3\r\n"});
        const Answered turn = co_await ask(id, "Hi, who is there?");
        EXPECT_EQ(turn.status, 200U);
        EXPECT_THAT(turn.body, StartsWith(R"({"type":"started","title":"Hi, who is there?")"));
        EXPECT_THAT(turn.body, HasSubstr(R"({"type":"text","text":"Hello)"));
        EXPECT_THAT(turn.body, HasSubstr(R"("backend":"r2","attempts":3)"));
        EXPECT_THAT(turn.body, HasSubstr(R"({"type":"follow_ups","questions":["One?","Two?"]})"));
        EXPECT_THAT(turn.body, ::testing::EndsWith("{\"type\":\"end\"}\n"));
        EXPECT_EQ(model_.keys.at(0), "the-key");
        const Answered kept = co_await send("GET", "/api/conversations/" + id);
        EXPECT_THAT(kept.body, AllOf(HasSubstr(R"("text":"Hello there","state":"done")"),
                                     HasSubstr(R"("usage":{"prompt":5,"completion":2})"),
                                     HasSubstr(R"("follow_ups":["One?","Two?"])")));
        cookie_ = "spillway_chat=" + std::string(32, '0');
        const Answered others = co_await send("GET", "/api/conversations/" + id);
        EXPECT_EQ(others.status, 403U);
        EXPECT_THAT(others.body, AllOf(HasSubstr("not_yours"), Not(HasSubstr("Hello"))));
    });
}

TEST_F(ChatServerTest, RegeneratesAndEditsAsBranches) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        const Answered first = co_await ask(id, "Q1");
        const std::string question = between(first.body, R"("question":{"id":")", "\"");
        const std::string answer = between(first.body, R"("answer":")", "\"");
        EXPECT_EQ((co_await ask(id, "", question)).status, 200U);
        EXPECT_EQ((co_await ask(id, "", answer)).status, 400U);     // no question to answer
        EXPECT_EQ((co_await ask(id, "Q", question)).status, 400U);  // a question behind a question
        EXPECT_EQ((co_await ask(id, "Q1 edited")).status, 200U);
        const Answered kept = co_await send("GET", "/api/conversations/" + id);
        std::size_t questions = 0;
        const std::string_view mark = R"("role":"user","text")";
        for (auto at = kept.body.find(mark); at != std::string::npos; at = kept.body.find(mark, at + 1))
            ++questions;
        EXPECT_EQ(questions, 2U);
        EXPECT_THAT(kept.body, HasSubstr("Q1 edited"));
    });
}

TEST_F(ChatServerTest, ShowsA429WithItsWaitAndKeepsTheQuestion) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        model_.scripts.push_back({429,
                                  {R"({"error":{"code":"429","message":"Slow down."}})"},
                                  false,
                                  false,
                                  "retry-after-ms: 7500\r\nretry-after: 8\r\n"});
        const Answered turn = co_await ask(id, "Hi");
        EXPECT_THAT(turn.body,
                    HasSubstr(R"("type":"error","error":{"kind":"rate_limited","message":"Slow down.")"));
        EXPECT_THAT(turn.body, HasSubstr(R"("retry_after_ms":7500)"));
        const Answered kept = co_await send("GET", "/api/conversations/" + id);
        EXPECT_THAT(kept.body, AllOf(HasSubstr("\"text\":\"Hi\""), Not(HasSubstr("assistant"))));
    });
}

TEST_F(ChatServerTest, AsksAgainWhenAnAnswerBreaksOff) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        model_.scripts.push_back({200, {"Once upon"}, true, false, "x-spillway-backend: r1\r\n"});
        model_.scripts.push_back(
            {200, {"Once", " upon", " a time"}, false, false, "x-spillway-backend: r2\r\n"});
        const Answered turn = co_await ask(id, "Story");
        EXPECT_THAT(turn.body,
                    AllOf(HasSubstr(R"({"type":"text","text":" a time"})"),
                          Not(HasSubstr("\"type\":\"replace\"")), Not(HasSubstr("\"type\":\"error\""))));
        EXPECT_THAT(turn.body, HasSubstr(R"("text":"Once upon a time","state":"done")"));
        EXPECT_THAT(turn.body, HasSubstr(R"({"kind":"retry","shown":9)"));
    });
}

TEST_F(ChatServerTest, ReplacesWhatASecondTryBeganDifferently) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        model_.scripts.push_back({200, {"Once upon"}, true, false, {}});
        model_.scripts.push_back({200, {"Long", " ago"}, false, false, {}});
        const Answered turn = co_await ask(id, "Story");
        EXPECT_THAT(turn.body, HasSubstr(R"({"type":"replace","text":"Long)"));
        EXPECT_THAT(turn.body, HasSubstr(R"("text":"Long ago","state":"done")"));
    });
}

TEST_F(ChatServerTest, GivesUpAfterThreeTriesAndKeepsThePart) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        for (int i = 0; i < 3; ++i) model_.scripts.push_back({200, {"Once"}, true, false, {}});
        const Answered turn = co_await ask(id, "Story");
        EXPECT_THAT(turn.body, HasSubstr(R"("kind":"broken")"));
        EXPECT_THAT(turn.body, HasSubstr(R"("text":"Once","state":"failed")"));
        EXPECT_EQ(model_.bodies.size(), 3U);
    });
}

TEST_F(ChatServerTest, ATurnGoesOnWithoutItsReaderAndIsFollowedByEventNumber) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        model_.scripts.push_back({200, {"Half an"}, false, true, {}});
        std::string seen;
        {
            auto up = co_await begin_turn(id, "Story");
            while (seen.find("Half an") == std::string::npos)
                seen += (co_await up.read_body(std::chrono::seconds(5))).value();
        }  // leaves
        const Answered open = co_await send("GET", "/api/conversations/" + id);
        EXPECT_THAT(open.body, HasSubstr("\"running\":true"));
        EXPECT_EQ(model_.gone, 0);
        EXPECT_EQ((co_await ask(id, "Another")).status, 409U);
        // The model says nothing more, and this process may die: what came is kept by now.
        Timer timer(loop_);
        std::string part;
        for (int i = 0; i < 100 && part.find("Half an") == std::string::npos; ++i) {
            (void)co_await timer.sleep_for(std::chrono::milliseconds(50));
            part = (co_await send("GET", "/api/conversations/" + id)).body;
        }
        EXPECT_THAT(part, HasSubstr(R"("text":"Half an","state":"failed")"));
        auto follower = co_await begin_stream("GET", "/api/conversations/" + id + "/turn?after=1", "");
        EXPECT_EQ((co_await send("DELETE", "/api/conversations/" + id + "/turn", "{}")).status, 200U);
        std::string rest;
        for (std::string_view piece = "-"; !piece.empty();) {
            piece = (co_await follower.read_body(std::chrono::seconds(5))).value();
            rest += piece;
        }
        EXPECT_THAT(rest, AllOf(Not(HasSubstr("\"started\"")), HasSubstr("\"type\":\"done\""),
                                ::testing::EndsWith("{\"type\":\"end\"}\n")));
        const Answered kept = co_await send("GET", "/api/conversations/" + id);
        EXPECT_THAT(kept.body, AllOf(HasSubstr(R"("text":"Half an","state":"stopped")"),
                                     HasSubstr("\"running\":false")));
        EXPECT_EQ(model_.gone, 1);
        EXPECT_EQ((co_await send("GET", "/api/conversations/" + id + "/turn?after=0")).status, 404U);
    });
}

TEST_F(ChatServerTest, SaysThatTheMessageToGoOnFromIsNotThere) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        const Answered answer = co_await ask(id, "Hi", std::string(32, 'a'));
        EXPECT_EQ(answer.status, 404U);
        EXPECT_THAT(answer.body, HasSubstr("parent_not_found"));
        EXPECT_EQ((co_await ask(id, "Hi")).status, 200U);  // nothing was left behind
    });
}

TEST_F(ChatServerTest, CitesThePageOfADroppedPdf) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        const std::string pdf =
            test::sample_pdf({"The house has nine rooms.", "The gardener comes on Monday."});
        const std::string target = "/api/conversations/" + id + "/documents?name=house%20rules.pdf";
        const Answered up = co_await send("POST", target, pdf, "application/octet-stream");
        EXPECT_THAT(up.body, AllOf(HasSubstr(R"("stage":"embedding")"), HasSubstr(R"("pages":2)"),
                                   HasSubstr(R"("embedding_model":"emb")"), HasSubstr("house rules.pdf")));
        const std::string document = between(up.body, R"("document":{"id":")", "\"");
        const Answered turn = co_await ask(id, "When does the gardener come?");
        EXPECT_THAT(turn.body, HasSubstr(R"("sources":[{"marker":"house rules.pdf#page=2")"));
        EXPECT_THAT(model_.bodies.at(0),
                    HasSubstr(R"(Sources:\n\n[house rules.pdf#page=2]: The gardener comes on Monday.)"));
        const Answered text = co_await send("GET", "/api/documents/" + document + "/pages/2");
        EXPECT_THAT(text.body, HasSubstr("The gardener comes on Monday."));
        const Answered content = co_await send("GET", "/api/documents/" + document + "/content");
        EXPECT_EQ(content.body, pdf);
        EXPECT_EQ(content.type, "application/pdf");
        const Answered again = co_await send("POST", target, pdf, "application/octet-stream");
        EXPECT_THAT(again.body, HasSubstr("house rules (2).pdf"));
        EXPECT_EQ((co_await send("DELETE", "/api/documents/" + document)).status, 200U);
        EXPECT_EQ((co_await send("GET", "/api/documents/" + document + "/pages/2")).status, 404U);
    });
}

TEST_F(ChatServerTest, ADocumentWithoutEmbeddingsIsFoundByWords) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        model_.embed_scripts.push_back(
            {404, {R"({"error":{"code":"DeploymentNotFound","message":"No."}})"}, false, false, {}});
        const Answered up =
            co_await send("POST", "/api/conversations/" + id + "/documents?name=a.md",
                          "# Garden\n\nThe gardener comes on Monday.", "application/octet-stream");
        EXPECT_THAT(up.body, AllOf(HasSubstr(R"("embedding_model":"")"), HasSubstr(R"("trouble":"No.")")));
        const Answered turn = co_await ask(id, "When does the gardener come?");
        EXPECT_THAT(turn.body, HasSubstr(R"("marker":"a.md#line=1")"));
        EXPECT_EQ(model_.embedded, 0);
    });
}

TEST_F(ChatServerTest, WaitsForEmbeddingsAsLongAsA429Asks) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        model_.embed_scripts.push_back({429, {"{}"}, false, false, "retry-after-ms: 20\r\n"});
        const Answered up = co_await send("POST", "/api/conversations/" + id + "/documents?name=a.txt",
                                          "Text", "application/octet-stream");
        EXPECT_THAT(up.body,
                    AllOf(HasSubstr(R"("stage":"waiting")"), HasSubstr(R"("embedding_model":"emb")")));
    });
}

TEST_F(ChatServerTest, RefusesFilesItCannotRead) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        const std::string target = "/api/conversations/" + id + "/documents";
        const Answered bad =
            co_await send("POST", target + "?name=a.pdf", "%PDF-1.7 nothing", "application/octet-stream");
        EXPECT_THAT(bad.body,
                    HasSubstr(R"({"type":"error","message":"the PDF cannot be read","code":"unreadable"})"));
        const Answered office = co_await send("POST", target + "?name=a.docx", std::string("PK\x03\x04rest"),
                                              "application/octet-stream");
        EXPECT_THAT(office.body, HasSubstr("\"code\":\"unsupported\""));
        EXPECT_EQ((co_await send("POST", target, "x", "application/octet-stream")).status, 400U);
        EXPECT_EQ((co_await send("POST", target + "?name=%zz", "x", "application/octet-stream")).status,
                  400U);
    });
}

TEST_F(ChatServerTest, SettingsReachTheModel) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        const Answered saved = co_await send(
            "PUT", "/api/settings", R"({"system_prompt":"Be a poet.","temperature":0.5,"follow_ups":false})");
        EXPECT_EQ(saved.status, 200U);
        EXPECT_EQ((co_await send("PUT", "/api/settings", R"({"temperature":9})")).status, 400U);
        const Answered turn = co_await ask(id, "Hi");
        EXPECT_THAT(turn.body, Not(HasSubstr("follow_ups\",\"questions")));
        EXPECT_EQ(model_.bodies.size(), 1U);
        EXPECT_THAT(model_.bodies.at(0), AllOf(HasSubstr("Be a poet."), HasSubstr(R"("temperature":0.5)")));
    });
}

TEST_F(ChatServerTest, RenamesAndRemovesConversations) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        EXPECT_EQ((co_await send("PATCH", "/api/conversations/" + id, R"({"title":" New name "})")).status,
                  200U);
        EXPECT_THAT((co_await send("GET", "/api/conversations")).body, HasSubstr("\"title\":\"New name\""));
        EXPECT_EQ((co_await send("PATCH", "/api/conversations/" + id, "nonsense")).status, 400U);
        EXPECT_EQ((co_await send("DELETE", "/api/conversations/" + id)).status, 200U);
        EXPECT_EQ((co_await send("GET", "/api/conversations/" + id)).status, 404U);
        co_await begin();
        EXPECT_EQ((co_await send("DELETE", "/api/conversations")).status, 200U);
        EXPECT_EQ((co_await send("GET", "/api/conversations")).body, R"({"conversations":[]})");
        EXPECT_EQ((co_await send("GET", "/api/nothing")).status, 404U);
    });
}

TEST_F(ChatServerTest, ToldErrorsAreOfTheirKind) {
    run([&]() -> Task<void> {
        const std::string id = co_await begin();
        struct Case {
            unsigned status;
            std::string body;
            std::string kind;
        };
        const std::vector<Case> cases = {
            {400, R"({"error":{"code":"content_filter","message":"no"}})", "content_filter"},
            {400, R"({"error":{"code":"context_length_exceeded","message":"no"}})", "too_long"},
            {401, R"({"error":{"code":"401","message":"no"}})", "unauthorized"},
            {404, R"({"error":{"code":"DeploymentNotFound","message":"no"}})", "not_found"},
            {503, "<html>", "server"}};
        for (const Case& c : cases) {
            model_.scripts.push_back({c.status, {c.body}, false, false, {}});
            const Answered turn = co_await ask(id, "Hi");
            EXPECT_THAT(turn.body, HasSubstr(fmt::format(R"("error":{{"kind":"{}")", c.kind)));
        }
        model_.close();
        const Answered turn = co_await ask(id, "Hi");
        EXPECT_THAT(turn.body, HasSubstr(R"("kind":"unreachable")"));
    });
}

}  // namespace
}  // namespace spillway::chat
