#pragma once
/// A chat model to test against, in the test's own event loop: each request is answered by the next of the
/// scripted answers, or by a plain one. Embeddings are [length, 1].
#include <simdjson.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "http/server.hpp"

namespace spillway::chat::test {

class FakeModel {
public:
    struct Script {
        unsigned status = 200;
        std::vector<std::string> words;  ///< of a stream; or the body, if the status is not 200
        bool cut = false;                ///< the connection breaks after the words
        bool hang = false;               ///< nothing more comes after the words
        std::string headers;
    };

    explicit FakeModel(Loop& loop) : server_(loop, {}, [this](http::Exchange& e) { return handle(e); }) {
        const auto bound = server_.listen({"127.0.0.1", 0});
        if (!bound) throw std::runtime_error(bound.error().message);
    }
    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    void close() { server_.close(); }

    std::deque<Script> scripts;        // of chat streams
    std::deque<Script> embed_scripts;  // refusals of embeddings
    std::string whole = "<<One?>> <<Two?>>";
    std::vector<std::string> bodies;  // of chat requests, streamed or not
    std::vector<std::string> keys;
    int embedded = 0;
    int gone = 0;

private:
    Task<void> handle(http::Exchange& e) {
        keys.emplace_back(e.request().fields.get("api-key"));
        if (e.request().target.find("/embeddings") != std::string_view::npos) {
            co_await embeddings(e);
            co_return;
        }
        bodies.emplace_back(e.body());
        if (bodies.back().find("\"stream\":true") == std::string::npos) {
            JsonWriter w;
            w.open().key("choices").open_list().open().key("message").open();
            w.field("content", whole).close().close().close_list().close();
            co_await json(e, 200, w.view());
            co_return;
        }
        Script script{200, {"Hello", " there"}, false, false, {}};
        if (!scripts.empty()) {
            script = std::move(scripts.front());
            scripts.pop_front();
        }
        if (script.status != 200) {
            e.start(script.status, "content-type: application/json\r\n" + script.headers,
                    script.words.at(0).size());
            co_await e.finish(script.words.at(0));
            co_return;
        }
        co_await stream(e, script);
    }

    Task<void> stream(http::Exchange& e, const Script& script) {
        e.start(200, "content-type: text/event-stream\r\n" + script.headers, std::nullopt);
        for (const std::string& word : script.words) {
            JsonWriter w;
            w.open().field("model", "fake").key("choices").open_list().open().key("delta").open();
            w.field("content", word).close().key("finish_reason").null().close().close_list().close();
            const std::string event = "data: " + w.take() + "\n\n";
            co_await e.write(event);
        }
        if (script.hang) {
            Timer timer(e.loop());
            e.on_gone([&] {
                ++gone;
                timer.cancel();
            });
            (void)co_await timer.sleep_for(std::chrono::seconds(20));
            e.on_gone({});
            e.abort();
            co_return;
        }
        if (script.cut) {
            e.abort();
            co_return;
        }
        co_await e.finish(
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\n"
            "data: [DONE]\n\n");
    }

    Task<void> embeddings(http::Exchange& e) {
        if (!embed_scripts.empty()) {
            const Script script = std::move(embed_scripts.front());
            embed_scripts.pop_front();
            e.start(script.status, "content-type: application/json\r\n" + script.headers,
                    script.words.at(0).size());
            co_await e.finish(script.words.at(0));
            co_return;
        }
        ++embedded;
        simdjson::dom::parser parser;
        JsonWriter w;
        w.open().key("data").open_list();
        std::size_t index = 0;
        simdjson::dom::element root = parser.parse(e.body().data(), e.body().size());
        for (const simdjson::dom::element text : root["input"].get_array()) {
            const auto length = static_cast<double>(std::string_view(text).size());
            w.open().field("index", index++).key("embedding").open_list().number(length).number(1);
            w.close_list().close();
        }
        w.close_list().close();
        co_await json(e, 200, w.view());
    }

    static Task<void> json(http::Exchange& e, unsigned status, std::string_view body) {
        const std::array<http::Field, 1> fields = {{{"content-type", "application/json"}}};
        co_await e.respond(status, fields, body);
    }

    http::Server server_;
};

}  // namespace spillway::chat::test
