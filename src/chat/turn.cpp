#include "chat/turn.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>

#include "base/strings.hpp"
#include "base/task.hpp"
#include "base/utf8.hpp"
#include "chat/ids.hpp"

namespace spillway::chat {
namespace {

constexpr std::size_t longest_question = 32000;
constexpr unsigned most_asked = 3;
constexpr std::size_t longest_answer = 4UL * 1024 * 1024;  // bytes: no model writes that much

std::int64_t millis(Duration d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

std::int64_t now_millis() {
    return millis(wall_now().time_since_epoch());
}

void write_reply(JsonWriter& w, const Reply& reply) {
    w.field("backend", reply.backend).field("attempts", reply.attempts).field("status", reply.status);
    w.field("model", reply.model).field("request_id", reply.request_id);
    w.field("finish_reason", reply.finish_reason);
    if (reply.usage) {
        w.key("usage").open().field("prompt", reply.usage->prompt);
        w.field("completion", reply.usage->completion).close();
    }
}

void write_error(JsonWriter& w, const ModelError& error) {
    w.key("error").open().field("kind", to_string(error.kind)).field("message", error.message);
    w.field("code", error.code).field("status", error.reply.status).field("backend", error.reply.backend);
    w.field("attempts", error.reply.attempts).field("request_id", error.reply.request_id);
    if (error.retry_after) w.field("retry_after_ms", millis(*error.retry_after));
    w.close();
}

}  // namespace

Result<TurnRequest> read_turn_request(std::string_view json) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS)
        return fail("a JSON object is expected");
    TurnRequest out;
    std::string_view value;
    if (object["parent"].get(value) == simdjson::SUCCESS) out.parent = value;
    if (object["text"].get(value) == simdjson::SUCCESS) out.text = trim(value);
    if (!out.parent.empty() && !is_id(out.parent)) return fail("parent is not a message's id");
    if (out.parent.empty() && out.text.empty()) return fail("text is empty");
    if (count_characters(out.text) > longest_question)
        return fail(fmt::format("text has more than {} characters", longest_question));
    return out;
}

void write_message(JsonWriter& out, const Message& m) {
    out.open().field("id", m.id).field("parent", m.parent).field("role", to_string(m.role));
    out.field("text", m.text).field("state", to_string(m.state)).field("created", m.created);
    out.key("details").raw(m.details).close();
}

Turn::Turn(Model& model, StoreThread& store, std::string session, Conversation conversation, Emit emit)
    : model_(model),
      store_(store),
      session_(std::move(session)),
      conversation_(std::move(conversation)),
      emit_(std::move(emit)) {}

void Turn::step(std::string json) {
    steps_.push_back(std::move(json));
    JsonWriter w;
    w.open().field("type", "step").key("step").raw(steps_.back()).close();
    line(w);
}

Task<Result<void>> Turn::prepare(TurnRequest request) {
    auto path =
        co_await store_([&](Store& s) { return s.path_to(session_, conversation_.id, request.parent); });
    if (!path && is_not_found(path.error()) && !request.parent.empty())
        co_return fail(std::string(no_parent_text));
    if (!path) co_return path.error();
    path_ = std::move(*path);
    const bool is_new = !request.text.empty();
    const Role before = path_.empty() ? Role::assistant : path_.back().role;
    if ((before == Role::user) == is_new)
        co_return fail(is_new ? "a question follows an answer, not a question" : "parent is not a question");
    auto stored = co_await store_([&](Store& s) { return s.settings(session_); });
    if (!stored) co_return stored.error();
    if (auto read = read_user_settings(*stored)) settings_ = std::move(*read);

    if (is_new) {
        Message m;
        m.id = new_id();
        m.parent = request.parent;
        m.text = std::move(request.text);
        m.created = now_millis();
        path_.push_back(std::move(m));
        const bool first = conversation_.title.empty();
        if (first) conversation_.title = title_of(question().text);
        auto saved = co_await store_([&](Store& s) -> Result<void> {
            if (first)
                if (auto named = s.rename(session_, conversation_.id, conversation_.title); !named)
                    return named;
            return s.save_message(session_, conversation_.id, question(), wall_now());
        });
        if (!saved) co_return saved;
    }
    reply_message_.id = new_id();
    reply_message_.parent = question().id;
    reply_message_.role = Role::assistant;
    reply_message_.created = std::max(now_millis(), question().created + 1);
    co_return Result<void>();
}

Task<void> Turn::run() {
    JsonWriter w;
    w.open().field("type", "started").field("title", conversation_.title);
    w.field("answer", reply_message_.id).key("question");
    write_message(w, question());
    w.close();
    line(w);

    co_await search();
    co_await answer();
    JsonWriter end;
    end.open().field("type", "end").close();
    line(end);
}

Task<void> Turn::search() {
    auto documents = co_await store_([&](Store& s) { return s.documents(session_, conversation_.id); });
    if (!documents || documents->empty()) co_return;
    const Mono begin = mono_now();
    const std::string& text = question().text;
    // "And what about …?" needs the question before to be understood.
    const std::string context = path_.size() >= 3 ? path_[path_.size() - 3].text : std::string();

    std::vector<float> vector;
    std::string trouble;
    const bool by_meaning = std::ranges::any_of(*documents, [&](const Document& d) {
        return d.embedding_model == model_.settings().embedding_model;
    });
    if (by_meaning && model_.has_embeddings()) {
        const std::vector<std::string> one = {std::string(first_characters(text, 4000))};
        auto vectors = co_await model_.embed(one, cancel_);
        if (vectors)
            vector = std::move(vectors->front());
        else
            trouble = vectors.error().message;
    }
    auto hits = co_await store_([&](Store& s) {
        return s.search(session_, conversation_.id, text, context, vector,
                        static_cast<std::size_t>(settings_.sources));
    });
    if (hits) sources_ = to_sources(*hits);
    if (!hits) trouble = hits.error().message;

    JsonWriter w;
    w.open().field("kind", "search").field("question", text).field("context", context);
    w.field("by_meaning", !vector.empty()).field("model", model_.settings().embedding_model);
    w.field("trouble", trouble).field("ms", millis(mono_now() - begin)).key("results");
    write_sources(w, sources_);
    w.close();
    step(w.take());
    JsonWriter found;
    found.open().field("type", "sources").key("sources");
    write_sources(found, sources_);
    found.close();
    line(found);
}

void Turn::on_head(const Reply& reply) {
    JsonWriter w;
    w.open().field("type", "backend");
    write_reply(w, reply);
    w.close();
    line(w);
}

Task<bool> Turn::on_text(std::string_view text) {
    std::string& shown = reply_message_.text;
    if (first_text_ == Duration{}) first_text_ = mono_now() - begin_;
    JsonWriter w;
    w.open();
    if (retrying_) {
        candidate_.append(text);
        const bool same = std::string_view(candidate_).starts_with(shown) ||
                          std::string_view(shown).starts_with(candidate_);
        if (same && candidate_.size() <= shown.size()) co_return !cancel_.requested();
        if (same)
            w.field("type", "text").field("text", std::string_view(candidate_).substr(shown.size()));
        else
            w.field("type", "replace").field("text", candidate_);
        shown = std::exchange(candidate_, {});
        retrying_ = false;
    } else {
        shown.append(text);
        w.field("type", "text").field("text", text);
    }
    w.close();
    line(w);
    grown_ = true;
    co_return !cancel_.requested() && shown.size() < longest_answer;
}

Task<ModelResult<Reply>> Turn::attempt(const std::string& body) {
    ++asked_;
    return model_.stream(
        body, cancel_,
        [this](const Reply& reply) -> Task<void> {
            on_head(reply);
            co_return;
        },
        [this](std::string_view text) { return on_text(text); });
}

void Turn::emit_retry(const ModelError& error) {
    JsonWriter w;
    w.open().field("kind", "retry").field("shown", count_characters(reply_message_.text));
    write_error(w, error);
    w.close();
    step(w.take());
}

Task<void> Turn::answer() {
    if (cancel_.requested()) {
        ModelError stopped;
        stopped.kind = ModelError::Kind::cancelled;
        co_await fail_with(stopped);
        co_return;
    }
    const std::vector<PromptMessage> prompt = build_prompt(settings_, path_, sources_);
    // The messages before are in the conversation: only what was added to them is kept with the answer.
    JsonWriter said;
    said.open().field("kind", "prompt").field("model", model_.settings().chat_model);
    said.field("history", prompt.size() - 2).key("messages");
    const std::array<PromptMessage, 2> added = {prompt.front(), prompt.back()};
    write_prompt(said, added);
    said.close();
    step(said.take());

    const std::string body =
        chat_body(model_.settings().chat_model, prompt, settings_, pseudonym(session_), true);
    auto reply = co_await attempt(body);
    while (!reply && reply.error().kind == ModelError::Kind::broken && asked_ < most_asked &&
           !cancel_.requested()) {
        emit_retry(reply.error());
        retrying_ = !reply_message_.text.empty();
        candidate_.clear();
        reply = co_await attempt(body);
    }
    total_ = mono_now() - begin_;
    if (!reply) {
        co_await fail_with(reply.error());
        co_return;
    }
    // A second try that ended within what was shown is the answer all the same.
    if (retrying_ && !candidate_.empty()) reply_message_.text = candidate_;
    reply_ = std::move(*reply);
    co_await save();
    answered_ = true;
    JsonWriter w;
    w.open().field("type", "done").key("message");
    write_message(w, reply_message_);
    w.close();
    line(w);
    if (settings_.follow_ups && !cancel_.requested()) co_await follow_up();
}

Task<void> Turn::fail_with(const ModelError& error) {
    const bool stopped = error.kind == ModelError::Kind::cancelled;
    reply_ = error.reply;
    reply_message_.state = stopped ? MessageState::stopped : MessageState::failed;
    // Without any text there is nothing to keep: the question can be answered again.
    const bool some = !reply_message_.text.empty();
    if (some) co_await save();
    answered_ = true;
    JsonWriter w;
    w.open().field("type", !stopped ? "error" : some ? "done" : "stopped");
    if (!stopped) write_error(w, error);
    if (some) {
        w.key("message");
        write_message(w, reply_message_);
    }
    w.close();
    line(w);
}

Task<void> Turn::follow_up() {
    UserSettings plain;
    plain.max_tokens = 200;
    const auto prompt = follow_up_prompt(question().text, reply_message_.text);
    auto text = co_await model_.ask(
        chat_body(model_.settings().chat_model, prompt, plain, pseudonym(session_), false), cancel_);
    if (!text) co_return;  // a courtesy: its failure is not the user's concern
    follow_ups_ = parse_follow_ups(*text);
    if (follow_ups_.empty()) co_return;
    co_await save();
    JsonWriter w;
    w.open().field("type", "follow_ups").key("questions").open_list();
    for (const std::string& q : follow_ups_) w.text(q);
    w.close_list().close();
    line(w);
}

std::string Turn::details() const {
    JsonWriter w;
    w.open();
    write_reply(w, reply_);
    w.field("asked", asked_).field("first_ms", millis(first_text_)).field("total_ms", millis(total_));
    w.key("sources");
    write_sources(w, sources_);
    w.key("steps").open_list();
    for (const std::string& s : steps_) w.raw(s);
    w.close_list().key("follow_ups").open_list();
    for (const std::string& q : follow_ups_) w.text(q);
    w.close_list().close();
    return w.take();
}

Task<void> Turn::save() {
    grown_ = false;  // what is saved here is not written over by a part
    reply_message_.details = details();
    auto saved = co_await store_(
        [&](Store& s) { return s.save_message(session_, conversation_.id, reply_message_, wall_now()); });
    if (!saved && !is_not_found(saved.error())) {  // not found: the conversation was deleted meanwhile
        ModelError error;
        error.message = saved.error().message;
        JsonWriter w;
        w.open().field("type", "error");
        write_error(w, error);
        w.close();
        line(w);
    }
}

Task<void> Turn::save_part() {
    if (!std::exchange(grown_, false)) co_return;
    Message part = reply_message_;
    part.state = MessageState::failed;
    part.details = details();
    // What goes wrong here goes wrong at the end as well, and is said then.
    (void)co_await store_(
        [&](Store& s) { return s.save_message(session_, conversation_.id, part, wall_now()); });
}

}  // namespace spillway::chat
