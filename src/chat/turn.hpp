#pragma once
/// One turn of a conversation: a question (new, edited, or repeated), the search in the documents, the
/// streamed answer, and follow-up questions; emitted as lines of JSON (application/x-ndjson), each with a
/// `type`:
///
///     started    the question as stored, the answer's id, the conversation's title
///     step       a part of the thought process: search, prompt, retry
///     sources    what was shown to the model
///     backend    the backend that answers, after how many attempts
///     text       the next piece of the answer
///     replace    the whole text so far: a second attempt began differently
///     done       the answer as stored; follow-ups may still follow
///     follow_ups suggested questions
///     error      why there is no (complete) answer; a 429 has retry_after_ms
///     end        the last event
///
///     stopped    the user stopped it before any text
///
/// An answer that breaks off is requested again, at most twice; what the new one has in common with the text
/// shown is not sent again. save_part(), called at intervals, keeps the text so far, so that it survives a
/// crash.
///
/// Ownership: a Turn belongs to whoever runs it (see turns.hpp) and does not know its readers. Thread rule:
/// the event loop's. Errors: `error` events.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.hpp"
#include "chat/model.hpp"
#include "chat/pools.hpp"
#include "chat/prompt.hpp"

namespace spillway::chat {

struct TurnRequest {
    std::string parent;  ///< the message before; empty: the start of the conversation
    std::string text;    ///< the question; empty: `parent` is the question, answered (again)
};
[[nodiscard]] Result<TurnRequest> read_turn_request(std::string_view json);

/// The Error's message if the message to answer or to continue from does not exist (any more).
inline constexpr std::string_view no_parent_text = "the message to go on from is not there";

class Turn {
public:
    /// Receives each line, without its line end.
    using Emit = std::function<void(std::string line)>;

    Turn(Model& model, StoreThread& store, std::string session, Conversation conversation, Emit emit);

    /// Saves the question. An Error says why there will be no answer; then nothing has been emitted.
    Task<Result<void>> prepare(TurnRequest request);
    /// Emits everything, `end` last.
    Task<void> run();
    /// Saves the text that arrived since the last call, as an answer that broke off, while more is expected.
    Task<void> save_part();
    /// Ends it soon; the text so far is kept.
    void stop() noexcept { cancel_.request(); }
    /// Whether the answer has ended, well or not, so that only suggestions can follow.
    [[nodiscard]] bool answered() const noexcept { return answered_; }

private:
    Task<void> search();
    Task<void> answer();
    Task<ModelResult<Reply>> attempt(const std::string& body);
    Task<bool> on_text(std::string_view text);
    void on_head(const Reply& reply);
    void emit_retry(const ModelError& error);
    Task<void> fail_with(const ModelError& error);
    Task<void> follow_up();
    Task<void> save();
    void line(JsonWriter& json) { emit_(json.take()); }
    void step(std::string json);
    [[nodiscard]] std::string details() const;
    [[nodiscard]] const Message& question() const { return path_.back(); }

    Model& model_;
    StoreThread& store_;
    std::string session_;
    Conversation conversation_;
    Emit emit_;
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
    std::string candidate_;  // a second attempt's text, until it exceeds the text shown
    bool retrying_ = false;
    bool grown_ = false;  // since it was last saved
    bool answered_ = false;
};

/// Writes a message for the page.
void write_message(JsonWriter& out, const Message& message);

}  // namespace spillway::chat
