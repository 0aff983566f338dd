#include "chat/model.hpp"

#include <fmt/format.h>

#include <array>

#include "api/rate_limit.hpp"
#include "api/sse.hpp"
#include "base/json.hpp"
#include "base/task.hpp"
#include "chat/model_wire.hpp"

namespace spillway::chat {
namespace {

constexpr std::size_t longest_error = 64UL * 1024;
constexpr std::size_t longest_answer = 64UL * 1024 * 1024;

http::OriginOptions origin_options(const ModelSettings& settings) {
    http::OriginOptions out;
    out.host = settings.url.host;
    out.port = settings.url.port;
    out.tls = settings.url.tls;
    return out;
}

ModelError cancelled() {
    ModelError out;
    out.kind = ModelError::Kind::cancelled;
    out.message = "stopped";
    return out;
}

}  // namespace

/// A request whose answer's head is read.
struct Model::Open {
    std::unique_ptr<http::Upstream> upstream;
    Reply reply;
    std::optional<Duration> retry_after;
};

/// Lends an Upstream to a Cancel for a scope.
struct Model::Lend {
    Lend(Cancel& c, http::Upstream& upstream) : cancel(c) { cancel.upstream_ = &upstream; }
    Lend(const Lend&) = delete;
    Lend& operator=(const Lend&) = delete;
    ~Lend() { cancel.upstream_ = nullptr; }
    Cancel& cancel;
};

Model::Model(Loop& loop, ModelSettings settings, ModelTimeouts timeouts)
    : settings_(std::move(settings)), timeouts_(timeouts), origin_(loop, origin_options(settings_)) {}

Task<ModelResult<Model::Open>> Model::send(std::string_view target, std::string_view body, Cancel& cancel) {
    std::string head = fmt::format("POST {} HTTP/1.1\r\n", target);
    http::append_field(head, "host", settings_.url.authority());
    http::append_field(head, "content-type", "application/json");
    http::append_field(head, "accept", "application/json, text/event-stream");
    http::append_field(head, "content-length", fmt::format("{}", body.size()));
    if (!settings_.organization.empty())
        http::append_field(head, "openai-organization", settings_.organization);
    const std::array<std::string_view, 4> pieces = {head, settings_.auth_line.reveal(), "\r\n", body};

    for (int attempt = 0;; ++attempt) {
        const Mono begin = mono_now();
        auto connected = co_await origin_.connect(attempt > 0);
        if (!connected) co_return from_net_error(connected.error(), false);
        if (cancel.requested()) co_return cancelled();
        Open open;
        open.upstream = std::make_unique<http::Upstream>(std::move(*connected));
        const Lend lend(cancel, *open.upstream);
        std::optional<http::NetError> error;
        const http::ResponseHead* answer = nullptr;
        const auto sent = co_await open.upstream->send(pieces, timeouts_.idle);
        if (!sent) error = sent.error();
        if (!error) {
            auto read = co_await open.upstream->read_head(timeouts_.head);
            if (read)
                answer = *read;
            else
                error = read.error();
        }
        if (error) {
            if (cancel.requested()) co_return cancelled();
            // A pooled connection that the peer closed meanwhile says nothing about the peer: once more.
            if (attempt == 0 && open.upstream->reused() && error->kind == http::NetError::Kind::closed)
                continue;
            co_return from_net_error(*error, false);
        }
        open.reply = read_reply(*answer);
        open.reply.first_byte = mono_now() - begin;
        open.retry_after = api::retry_after(answer->fields, wall_now());
        co_return open;
    }
}

Task<ModelResult<std::string>> Model::read_all(Open& open, std::size_t most) {
    std::string out;
    for (;;) {
        auto piece = co_await open.upstream->read_body(timeouts_.idle);
        if (!piece) co_return from_net_error(piece.error(), true);
        if (piece->empty()) break;
        if (out.size() + piece->size() > most) {
            ModelError error;
            error.message = "the answer is too long";
            co_return error;
        }
        out.append(*piece);
    }
    open.upstream->done();
    co_return out;
}

Task<ModelError> Model::refused(Open& open) {
    auto body = co_await read_all(open, longest_error);
    co_return read_refusal(open.reply, body ? std::string_view(*body) : std::string_view{}, open.retry_after);
}

Task<ModelResult<Reply>> Model::stream(std::string body, Cancel& cancel, OnHead on_head, OnText on_text) {
    auto sent = co_await send(settings_.chat_target, body, cancel);
    if (!sent) co_return sent.error();
    Open open = std::move(*sent);
    const Lend lend(cancel, *open.upstream);
    if (open.reply.status != 200) co_return co_await refused(open);
    co_await on_head(open.reply);

    api::SseSplitter splitter;
    api::SseEvent event;
    bool done = false;
    while (!done) {
        auto piece = co_await open.upstream->read_body(timeouts_.idle);
        ModelError error;
        if (!piece) {
            error = from_net_error(piece.error(), true);
            if (cancel.requested()) error.kind = ModelError::Kind::cancelled;
            if (error.kind != ModelError::Kind::cancelled && !open.reply.finish_reason.empty()) break;
            error.reply = open.reply;
            co_return error;
        }
        if (piece->empty()) break;
        splitter.feed(*piece);
        std::string text;
        while (!done && splitter.next(event)) {
            if (!event.has_data) continue;
            StreamDelta delta = read_delta(event.data);
            if (delta.error) {
                error = std::move(*delta.error);
                error.reply = open.reply;
                if (!text.empty()) co_await on_text(text);
                co_return error;
            }
            text += delta.text;
            if (!delta.model.empty()) open.reply.model = std::move(delta.model);
            if (!delta.finish_reason.empty()) open.reply.finish_reason = std::move(delta.finish_reason);
            if (delta.usage) open.reply.usage = delta.usage;
            done = delta.done;
        }
        bool wanted = true;
        if (!text.empty()) wanted = co_await on_text(text);
        if (!wanted || cancel.requested()) co_return cancelled();
    }
    if (!done && open.reply.finish_reason.empty()) {
        ModelError error;
        error.kind = ModelError::Kind::broken;
        error.message = "the answer ended before its end";
        error.reply = open.reply;
        co_return error;
    }
    // What follows [DONE] is the body's end: read it, so that the connection can be used again.
    if (done) {
        auto rest = co_await open.upstream->read_body(timeouts_.idle);
        if (rest && rest->empty()) open.upstream->done();
    }
    co_return open.reply;
}

Task<ModelResult<std::string>> Model::post(std::string_view target, std::string_view body, Cancel& cancel) {
    auto sent = co_await send(target, body, cancel);
    if (!sent) co_return sent.error();
    Open open = std::move(*sent);
    const Lend lend(cancel, *open.upstream);
    if (open.reply.status != 200) co_return co_await refused(open);
    auto whole = co_await read_all(open, longest_answer);
    if (!whole && cancel.requested()) co_return cancelled();
    co_return whole;
}

Task<ModelResult<std::string>> Model::ask(std::string body, Cancel& cancel) {
    auto whole = co_await post(settings_.chat_target, body, cancel);
    if (!whole) co_return whole.error();
    auto text = read_answer_text(*whole);
    if (!text) {
        ModelError error;
        error.message = text.error().message;
        co_return error;
    }
    co_return std::move(*text);
}

Task<ModelResult<std::vector<std::vector<float>>>> Model::embed(std::span<const std::string> texts,
                                                                Cancel& cancel) {
    JsonWriter w;
    w.open().field("model", settings_.embedding_model).key("input").open_list();
    for (const std::string& text : texts) w.text(text);
    w.close_list().field("encoding_format", "float").close();
    auto whole = co_await post(settings_.embeddings_target, w.view(), cancel);
    if (!whole) co_return whole.error();
    auto vectors = read_embeddings(*whole, texts.size());
    if (!vectors) {
        ModelError error;
        error.message = vectors.error().message;
        co_return error;
    }
    co_return std::move(*vectors);
}

}  // namespace spillway::chat
