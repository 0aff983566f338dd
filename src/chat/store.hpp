#pragma once
/// The chat's SQLite file: sessions (one per browser), their conversations, messages and documents. Every
/// look-up requires the session, so that no browser sees the data of another.
///
/// Thread rule: one thread at a time; the server runs it on a pool of one thread. Errors: SQLite's, and
/// not_found_text for what does not exist or belongs to another session; for a conversation of another
/// session not_yours_text (its id has 128 random bits, so whoever has it knows that it exists).
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "chat/records.hpp"
#include "telemetry/sqlite.hpp"

namespace spillway::chat {

/// The Error's message for something that does not exist.
inline constexpr std::string_view not_found_text = "not found";
[[nodiscard]] inline bool is_not_found(const Error& e) noexcept {
    return e.message == not_found_text;
}

/// The Error's message for a conversation of another session.
inline constexpr std::string_view not_yours_text = "not yours";

class Store {
public:
    /// ":memory:" keeps nothing. Only the owner can read a new file.
    [[nodiscard]] static Result<Store> open(const std::string& path);

    /// The session's settings as a JSON object, "{}" at first.
    Result<std::string> settings(std::string_view session);
    Result<void> save_settings(std::string_view session, std::string_view json, Wall now);

    /// Latest first.
    Result<std::vector<Conversation>> conversations(std::string_view session);
    Result<Conversation> conversation(std::string_view session, std::string_view id);
    Result<Conversation> create_conversation(std::string_view session, std::string_view title, Wall now);
    Result<void> rename(std::string_view session, std::string_view id, std::string_view title);
    Result<void> set_leaf(std::string_view session, std::string_view id, std::string_view message);
    Result<void> remove_conversation(std::string_view session, std::string_view id);
    Result<void> remove_all(std::string_view session);
    /// Removes conversations, of all sessions, that nobody has changed since `before`: the oldest, `most` of
    /// them at once, so that others may go on meanwhile. Gives how many there were.
    Result<std::size_t> forget(Wall before, std::size_t most);

    /// All branches, oldest first.
    Result<std::vector<Message>> messages(std::string_view session, std::string_view conversation);
    /// From the start of the conversation to `leaf`; empty for an empty `leaf`.
    Result<std::vector<Message>> path_to(std::string_view session, std::string_view conversation,
                                         std::string_view leaf);
    /// Adds or replaces `message` and makes it the leaf.
    Result<void> save_message(std::string_view session, std::string_view conversation, const Message& message,
                              Wall now);

    Result<std::vector<Document>> documents(std::string_view session, std::string_view conversation);
    Result<Document> document(std::string_view session, std::string_view id);
    /// The file as it was dropped.
    Result<std::string> document_content(std::string_view session, std::string_view id);
    /// The text of a page, from 1; 0 if it is not paged.
    Result<std::string> page_text(std::string_view session, std::string_view id, std::int64_t page);
    Result<void> add_document(std::string_view session, std::string_view conversation,
                              const Document& document, std::string_view content,
                              const std::vector<std::string>& pages, const std::vector<StoredChunk>& chunks);
    Result<void> remove_document(std::string_view session, std::string_view id);

    /// The best pieces of a conversation's documents for `question`: by words (BM25), by meaning (cosine
    /// with `vector`, if there is one), the two rankings fused. `context` is searched by words as well, at
    /// less weight: the question before, for "and what about …?".
    Result<std::vector<Hit>> search(std::string_view session, std::string_view conversation,
                                    std::string_view question, std::string_view context,
                                    const std::vector<float>& vector, std::size_t most);

private:
    explicit Store(telemetry::Database db) : db_(std::move(db)) {}
    Result<void> require(std::string_view session, std::string_view conversation);
    /// The Error for a conversation that the session does not have.
    Error absent(std::string_view conversation);
    Result<void> add_chunks(std::string_view document, const std::vector<StoredChunk>& chunks);
    Result<std::vector<std::int64_t>> by_words(std::string_view conversation, std::string_view text);
    Result<std::vector<std::pair<std::int64_t, double>>> by_vector(std::string_view conversation,
                                                                   const std::vector<float>& vector);
    Result<void> transaction(const std::function<Result<void>()>& work);

    telemetry::Database db_;
};

}  // namespace spillway::chat
