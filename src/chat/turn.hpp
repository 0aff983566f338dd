#pragma once
/// One turn of a conversation: a question (new, edited, or asked again), its search in the documents, the
/// streamed answer, follow-up questions; told to the page as lines of JSON (application/x-ndjson), each
/// with a `type`:
///
///     started    the question as stored, the answer's id, the conversation's title
///     step       a part of the thought process: search, prompt, retry
///     sources    what was shown to the model
///     backend    who answers, after how many attempts
///     text       the next piece of the answer
///     replace    the whole text so far: a second try began differently
///     done       the answer as stored; follow-ups may still come
///     follow_ups suggested questions
///     error      why there is no (whole) answer; a 429 has retry_after_ms
///     end        nothing more comes
///
/// An answer that breaks off is asked for once more, at most twice; what the new one has in common with
/// what was shown is not sent again. A client that leaves stops the work; what came is kept.
///
/// Ownership: a Turn lives in its request's handler. Thread rule: the event loop's.
#include <string>
#include <string_view>
#include <vector>

#include "chat/model.hpp"
#include "chat/pools.hpp"
#include "chat/prompt.hpp"
#include "http/server.hpp"

namespace spillway::chat {

struct TurnRequest {
    std::string parent;  ///< the message before; empty: the conversation's begin
    std::string text;    ///< the question; empty: `parent` is the question, answered (again)
};
[[nodiscard]] Result<TurnRequest> read_turn_request(std::string_view json);

class Turn {
public:
    Turn(http::Exchange& exchange, Model& model, StoreThread& store, std::string session,
         Conversation conversation);

    /// Answers the exchange. An Error has not been answered yet.
    asio::awaitable<Result<void>> run(TurnRequest request);

private:
    asio::awaitable<Result<void>> prepare(TurnRequest request);
    asio::awaitable<void> search();
    asio::awaitable<void> answer();
    asio::awaitable<ModelResult<Reply>> attempt(const std::string& body);
    asio::awaitable<bool> on_text(std::string_view text);
    asio::awaitable<void> on_head(const Reply& reply);
    asio::awaitable<void> tell_retry(const ModelError& error);
    asio::awaitable<void> fail_with(const ModelError& error);
    asio::awaitable<void> follow_up();
    asio::awaitable<void> save();
    asio::awaitable<bool> line(JsonWriter& json);
    asio::awaitable<void> step(std::string json);
    [[nodiscard]] std::string details() const;
    [[nodiscard]] const Message& question() const { return path_.back(); }

    http::Exchange& exchange_;
    Model& model_;
    StoreThread& store_;
    std::string session_;
    Conversation conversation_;
    Cancel cancel_;
    UserSettings settings_;
    std::vector<Message> path_;  // ends with the question
    std::vector<Source> sources_;
    std::vector<std::string> steps_;  // JSON objects
    std::vector<std::string> follow_ups_;
    Message reply_message_;
    Reply reply_;
    Mono begin_ = mono_now();
    Duration first_text_{};
    Duration total_{};
    unsigned asked_ = 0;
    std::string candidate_;  // a second try's text, until it goes beyond what is shown
    bool retrying_ = false;
};

/// A message as the page gets it.
void write_message(JsonWriter& out, const Message& message);

}  // namespace spillway::chat
