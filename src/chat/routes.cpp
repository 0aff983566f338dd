#include "chat/routes.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "api/error.hpp"
#include "base/strings.hpp"
#include "base/task.hpp"
#include "base/utf8.hpp"
#include "chat/guard.hpp"
#include "chat/ids.hpp"
#include "chat/server.hpp"
#include "chat/target.hpp"
#include "chat/turn.hpp"
#include "chat/user_settings.hpp"

namespace spillway::chat {
namespace {

constexpr std::size_t longest_title = 120;

Task<void> reply(http::Exchange& exchange, unsigned status, std::string_view json) {
    // Named: GCC 12 cannot keep an initializer list in an awaited call.
    const std::array<http::Field, 3> fields = {{{"content-type", "application/json"},
                                                {"cache-control", "no-store"},
                                                {"x-content-type-options", "nosniff"}}};
    co_await exchange.respond(status, fields, json);
}

Task<void> reply_error(http::Exchange& exchange, const Error& error) {
    if (is_not_found(error)) {
        co_await refuse(exchange, 404, "There is no such thing (any more)", "not_found");
        co_return;
    }
    if (error.message == not_yours_text) {
        co_await refuse(exchange, 403, "This conversation is another one's", "not_yours");
        co_return;
    }
    co_await refuse(exchange, 500, error.message, "internal_error");
}

/// "a.pdf" beside another "a.pdf" becomes "a (2).pdf": a citation must name one document.
std::string unused_name(const std::string& name, const std::vector<Document>& documents) {
    const auto dot = name.rfind('.');
    const std::string stem = name.substr(0, dot);
    const std::string ending = dot == std::string::npos ? std::string() : name.substr(dot);
    std::string out = name;
    for (int i = 2; std::ranges::any_of(documents, [&](const Document& d) { return d.name == out; }); ++i)
        out = fmt::format("{} ({}){}", stem, i, ending);
    return out;
}

void write_conversation(JsonWriter& w, const Conversation& c) {
    w.open().field("id", c.id).field("title", c.title).field("leaf", c.leaf);
    w.field("created", c.created).field("updated", c.updated).close();
}

}  // namespace

Task<void> refuse(http::Exchange& exchange, unsigned status, std::string_view message,
                  std::string_view code) {
    const std::string_view type = status >= 500 ? "server_error" : "invalid_request_error";
    const std::string body = api::error_json(message, type, code);
    co_await reply(exchange, status, body);
}

bool Routes::Call::is(std::string_view m, std::initializer_list<std::string_view> pattern) const {
    return method == m && std::ranges::equal(path, pattern, [](std::string_view a, std::string_view b) {
               return b == "*" || a == b;
           });
}

Task<void> Routes::answer_with(const Call& call, const Result<void>& done) {
    if (done)
        co_await reply(call.exchange, 200, "{}");
    else
        co_await reply_error(call.exchange, done.error());
}

Task<void> Routes::open_session(http::Exchange& exchange) {
    std::string id(session_of(exchange.request()));
    if (id.empty()) id = new_id();
    const std::string session = digest(id);
    auto stored = co_await store_([&](Store& s) { return s.settings(session); });
    if (!stored) {
        co_await reply_error(exchange, stored.error());
        co_return;
    }
    const auto read = read_user_settings(*stored);
    JsonWriter w;
    w.open().key("settings").raw(to_json(read ? *read : UserSettings{}));
    w.field("default_system_prompt", default_system_prompt).field("version", settings_.version);
    w.field("host", model_.settings().host).field("model", model_.settings().chat_model);
    w.field("embedding_model", model_.settings().embedding_model);
    w.field("max_upload_bytes", settings_.uploads.bytes).close();
    const std::string cookie = set_cookie(id);
    // Named: GCC 12 cannot keep an initializer list in an awaited call.
    const std::array<http::Field, 4> fields = {{{"content-type", "application/json"},
                                                {"cache-control", "no-store"},
                                                {"x-content-type-options", "nosniff"},
                                                {"set-cookie", cookie}}};
    co_await exchange.respond(200, fields, w.view());
}

Task<void> Routes::handle(http::Exchange& exchange, std::string_view path) {
    Call call{exchange, exchange.request().method, segments(path.substr(5)), {}};
    if (call.is("POST", {"session"})) {
        co_await open_session(exchange);
        co_return;
    }
    const std::string_view id = session_of(exchange.request());
    if (id.empty()) {
        co_await refuse(exchange, 401, "There is no session: load the page", "no_session");
        co_return;
    }
    call.session = digest(id);
    if (call.is("PUT", {"settings"})) {
        co_await save_settings(call);
        co_return;
    }
    bool known = co_await conversations(call);
    if (!known) known = co_await documents(call);
    if (known) co_return;
    co_await refuse(exchange, 404, "There is no such address", "not_found");
}

Task<void> Routes::save_settings(const Call& call) {
    auto stored = co_await store_([&](Store& s) { return s.settings(call.session); });
    if (!stored) {
        co_await reply_error(call.exchange, stored.error());
        co_return;
    }
    const auto base = read_user_settings(*stored);
    const auto wanted = read_user_settings(call.exchange.body(), base ? *base : UserSettings{});
    if (!wanted) {
        co_await refuse(call.exchange, 400, wanted.error().message, "invalid_settings");
        co_return;
    }
    const std::string json = to_json(*wanted);
    auto saved = co_await store_([&](Store& s) { return s.save_settings(call.session, json, wall_now()); });
    if (saved)
        co_await reply(call.exchange, 200, json);
    else
        co_await reply_error(call.exchange, saved.error());
}

Task<bool> Routes::conversations(const Call& call) {
    const std::string id(call.path.size() > 1 ? call.path[1] : std::string_view{});
    if (call.is("GET", {"conversations"})) {
        auto list = co_await store_([&](Store& s) { return s.conversations(call.session); });
        if (!list) {
            co_await reply_error(call.exchange, list.error());
            co_return true;
        }
        JsonWriter w;
        w.open().key("conversations").open_list();
        for (const Conversation& c : *list) write_conversation(w, c);
        w.close_list().close();
        co_await reply(call.exchange, 200, w.view());
    } else if (call.is("POST", {"conversations"})) {
        auto made =
            co_await store_([&](Store& s) { return s.create_conversation(call.session, "", wall_now()); });
        if (!made) {
            co_await reply_error(call.exchange, made.error());
            co_return true;
        }
        JsonWriter w;
        write_conversation(w, *made);
        co_await reply(call.exchange, 201, w.view());
    } else if (call.is("DELETE", {"conversations"})) {
        const Result<void> done = co_await store_([&](Store& s) { return s.remove_all(call.session); });
        co_await answer_with(call, done);
    } else if (call.is("GET", {"conversations", "*"})) {
        co_await show_conversation(call);
    } else if (call.is("PATCH", {"conversations", "*"})) {
        co_await change_conversation(call);
    } else if (call.is("DELETE", {"conversations", "*"})) {
        const Result<void> done =
            co_await store_([&](Store& s) { return s.remove_conversation(call.session, id); });
        co_await answer_with(call, done);
    } else if (call.is("POST", {"conversations", "*", "turns"})) {
        co_await turn(call);
    } else if (call.is("GET", {"conversations", "*", "turn"})) {
        co_await follow(call);
    } else if (call.is("DELETE", {"conversations", "*", "turn"})) {
        co_await stop(call);
    } else if (call.is("POST", {"conversations", "*", "documents"})) {
        co_await upload(call);
    } else {
        co_return false;
    }
    co_return true;
}

Task<void> Routes::show_conversation(const Call& call) {
    const std::string id(call.path[1]);
    struct Content {
        Conversation conversation;
        std::vector<Message> messages;
        std::vector<Document> documents;
    };
    auto content = co_await store_([&](Store& s) -> Result<Content> {
        auto conversation = s.conversation(call.session, id);
        if (!conversation) return conversation.error();
        auto messages = s.messages(call.session, id);
        if (!messages) return messages.error();
        auto documents = s.documents(call.session, id);
        if (!documents) return documents.error();
        return Content{std::move(*conversation), std::move(*messages), std::move(*documents)};
    });
    if (!content) {
        co_await reply_error(call.exchange, content.error());
        co_return;
    }
    JsonWriter w;
    w.open().key("conversation");
    write_conversation(w, content->conversation);
    w.key("messages").open_list();
    for (const Message& m : content->messages) write_message(w, m);
    w.close_list().key("documents").open_list();
    for (const Document& d : content->documents) write_document(w, d);
    w.close_list().field("running", turns_.running(call.session, id)).close();
    co_await reply(call.exchange, 200, w.view());
}

Task<void> Routes::change_conversation(const Call& call) {
    const std::string id(call.path[1]);
    const std::string_view body = call.exchange.body();
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(body.data(), body.size()).get(object) != simdjson::SUCCESS) {
        co_await refuse(call.exchange, 400, "A JSON object is expected", "invalid_json");
        co_return;
    }
    std::string_view value;
    std::string title;
    std::string leaf;
    if (object["title"].get(value) == simdjson::SUCCESS) title = first_characters(trim(value), longest_title);
    if (object["leaf"].get(value) == simdjson::SUCCESS) leaf = value;
    auto done = co_await store_([&](Store& s) -> Result<void> {
        Result<void> out;
        if (!title.empty()) out = s.rename(call.session, id, title);
        if (out && !leaf.empty()) out = s.set_leaf(call.session, id, leaf);
        return out;
    });
    co_await answer_with(call, done);
}

Task<void> Routes::turn(const Call& call) {
    const std::string id(call.path[1]);
    auto request = read_turn_request(call.exchange.body());
    if (!request) {
        co_await refuse(call.exchange, 400, request.error().message, "invalid_request");
        co_return;
    }
    auto conversation = co_await store_([&](Store& s) { return s.conversation(call.session, id); });
    if (!conversation) {
        co_await reply_error(call.exchange, conversation.error());
        co_return;
    }
    const Result<void> begun =
        co_await turns_.begin(call.session, std::move(*conversation), std::move(*request));
    if (begun) {
        (void)co_await turns_.follow(call.exchange, call.session, id, 0);
        co_return;
    }
    const std::string& why = begun.error().message;
    if (why == turn_running_text)
        co_await refuse(call.exchange, 409, "An answer is being written in this conversation",
                        "turn_running");
    else if (why == too_many_turns_text)
        co_await refuse(call.exchange, 429, "Too many answers are being written", "too_many_turns");
    else if (why == no_parent_text)
        co_await refuse(call.exchange, 404, "The message to go on from is not there", "parent_not_found");
    else if (is_not_found(begun.error()) || why == not_yours_text)
        co_await reply_error(call.exchange, begun.error());
    else
        co_await refuse(call.exchange, 400, why, "invalid_request");
}

Task<void> Routes::follow(const Call& call) {
    const auto after = parse_int<std::int64_t>(query_value(call.exchange.request().target, "after"));
    const auto from = static_cast<std::size_t>(std::max<std::int64_t>(after.value_or(0), 0));
    if (!co_await turns_.follow(call.exchange, call.session, call.path[1], from))
        co_await refuse(call.exchange, 404, "No answer is being written", "not_found");
}

Task<void> Routes::stop(const Call& call) {
    (void)turns_.stop(call.session, call.path[1]);
    co_await reply(call.exchange, 200, "{}");  // one that has ended is stopped as well
}

Task<void> Routes::upload(const Call& call) {
    const std::string id(call.path[1]);
    std::string name = clean_name(query_value(call.exchange.request().target, "name"));
    if (name.empty()) {
        co_await refuse(call.exchange, 400, "The file needs a name", "invalid_name");
        co_return;
    }
    if (call.exchange.body().size() > settings_.uploads.bytes) {
        co_await refuse(call.exchange, 413, "The file is too large", "too_large");
        co_return;
    }
    auto there = co_await store_([&](Store& s) { return s.documents(call.session, id); });
    if (!there) {
        co_await reply_error(call.exchange, there.error());
        co_return;
    }
    if (there->size() >= settings_.uploads.documents) {
        co_await refuse(call.exchange, 409, "The conversation has too many documents", "too_many_documents");
        co_return;
    }
    Ingest one(call.exchange, model_, store_, readers_, settings_.uploads);
    co_await one.run(call.session, id, unused_name(name, *there));
}

Task<bool> Routes::documents(const Call& call) {
    const std::string id(call.path.size() > 1 ? call.path[1] : std::string_view{});
    if (call.is("GET", {"documents", "*"})) {
        auto found = co_await store_([&](Store& s) { return s.document(call.session, id); });
        if (!found) {
            co_await reply_error(call.exchange, found.error());
            co_return true;
        }
        JsonWriter w;
        write_document(w, *found);
        co_await reply(call.exchange, 200, w.view());
    } else if (call.is("DELETE", {"documents", "*"})) {
        const Result<void> done =
            co_await store_([&](Store& s) { return s.remove_document(call.session, id); });
        co_await answer_with(call, done);
    } else if (call.is("GET", {"documents", "*", "content"})) {
        co_await content(call);
    } else if (call.is("GET", {"documents", "*", "pages", "*"})) {
        const auto page = parse_int<std::int64_t>(call.path[3]).value_or(-1);
        auto text = co_await store_([&](Store& s) { return s.page_text(call.session, id, page); });
        if (!text) {
            co_await reply_error(call.exchange, text.error());
            co_return true;
        }
        JsonWriter w;
        w.open().field("text", *text).close();
        co_await reply(call.exchange, 200, w.view());
    } else {
        co_return false;
    }
    co_return true;
}

Task<void> Routes::content(const Call& call) {
    const std::string id(call.path[1]);
    auto found = co_await store_([&](Store& s) { return s.document(call.session, id); });
    if (!found) {
        co_await reply_error(call.exchange, found.error());
        co_return;
    }
    const bool pdf = found->type == "application/pdf";
    // A text is content in UTF-8, whatever it came in.
    auto bytes = co_await store_([&](Store& s) {
        return pdf ? s.document_content(call.session, id) : s.page_text(call.session, id, 0);
    });
    if (!bytes) {
        co_await reply_error(call.exchange, bytes.error());
        co_return;
    }
    // Whatever the file holds, it is content as a PDF or as plain text, never run as a page of ours.
    const std::string_view type = pdf ? "application/pdf" : "text/plain; charset=utf-8";
    // Named: GCC 12 cannot keep an initializer list in an awaited call.
    const std::array<http::Field, 5> fields = {
        {{"content-type", type},
         {"content-disposition", "inline"},
         {"content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"},
         {"x-content-type-options", "nosniff"},
         {"cache-control", "no-store"}}};
    co_await call.exchange.respond(200, fields, *bytes);
}

}  // namespace spillway::chat
