#pragma once
/// What the chat keeps: conversations as trees of messages, and the documents dropped into them.
/// Ownership: plain values. Times are Unix milliseconds. Ids are those of new_id().
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::chat {

struct Conversation {
    std::string id;
    std::string title;
    std::string leaf;  ///< the last message of the branch in view; empty: none yet
    std::int64_t created = 0;
    std::int64_t updated = 0;
};

enum class Role : std::uint8_t { user, assistant };
[[nodiscard]] constexpr std::string_view to_string(Role r) noexcept {
    return r == Role::user ? "user" : "assistant";
}

enum class MessageState : std::uint8_t { done, stopped, failed };
[[nodiscard]] constexpr std::string_view to_string(MessageState s) noexcept {
    return s == MessageState::done ? "done" : s == MessageState::stopped ? "stopped" : "failed";
}

/// An edited question or another try at an answer is a sibling: a message with the same parent.
struct Message {
    std::string id;
    std::string parent;  ///< empty: the start of the conversation
    Role role = Role::user;
    std::string text;
    MessageState state = MessageState::done;
    std::string details = "{}";  ///< a JSON object: who answered, sources, steps, error
    std::int64_t created = 0;
};

struct Document {
    std::string id;
    std::string name;
    std::string type;  ///< application/pdf, text/markdown or text/plain
    std::int64_t bytes = 0;
    std::int64_t pages = 0;  ///< 0: not paged
    std::int64_t chunks = 0;
    std::string embedding_model;  ///< empty: found by words only
    std::int64_t created = 0;
};

/// A piece of a document as it is stored and searched.
struct StoredChunk {
    std::int64_t page = 0;  ///< from 1; 0: not paged
    std::int64_t line = 1;
    std::string text;
    std::vector<float> vector;  ///< empty: found by words only
};

/// A piece found by a search.
struct Hit {
    std::int64_t chunk = 0;
    std::string document;
    std::string name;
    std::int64_t page = 0;
    std::int64_t line = 1;
    std::string text;
    double score = 0;     ///< of the fused ranking
    int word_rank = 0;    ///< from 1; 0: not among those found by words
    int vector_rank = 0;  ///< from 1; 0: not among those found by meaning
    double similarity = 0;
};

}  // namespace spillway::chat
