#pragma once
/// Writes chat requests for an OpenAI or Azure OpenAI endpoint, and reads the answers.
/// Sources: OpenAI API reference (chat/completions, chunks, stream_options); Azure OpenAI's REST reference.
///
/// Ownership: a RequestForm owns its text; readers own what they collect. Thread rule: a RequestForm is
/// immutable, a reader is for one thread. Errors: a reader says in `problem` what is wrong with an answer.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/sse.hpp"
#include "api/usage.hpp"
#include "config/backend.hpp"
#include "config/secret.hpp"
#include "load/scenario.hpp"

namespace spillway::load {

enum class Style : std::uint8_t {
    azure,  ///< /openai/deployments/{deployment}/chat/completions?api-version=…, key in `api-key`
    v1,     ///< /v1/chat/completions, the model in the body, key as a bearer token
};
[[nodiscard]] std::string_view to_string(Style style) noexcept;

struct Target {
    config::BackendUrl url;
    Style style = Style::azure;
    std::string deployment = "gpt-4o";  ///< v1: the model
    std::string api_version = "2024-10-21";
    config::Secret api_key;                                   ///< empty: none is sent
    std::vector<std::pair<std::string, std::string>> fields;  ///< more header fields
    bool max_completion_tokens = false;  ///< the limit's newer name, required by reasoning models
    bool include_usage = true;           ///< request token counts from streams
};

/// The parts of a request before and after its messages.
struct RequestParts {
    std::string head;
    std::string tail;
};

class RequestForm {
public:
    explicit RequestForm(const Target& target);
    [[nodiscard]] RequestParts parts(const Conversation& conversation) const;

private:
    std::string fields_;  // request line and all header fields but Content-Length
    std::string model_;   // `,"model":"…"`, or nothing
    std::string_view limit_;
    bool include_usage_;
};

/// A chat completion or a chunk of one.
struct ChatPart {
    std::string content;
    bool output = false;  ///< contains something visible to a user: text, a refusal, a tool call
    bool finished = false;
    std::string error;  ///< its code, else type, else "error"; empty: no error
    bool has_usage = false;
    api::Usage usage;
};
/// False if `json` is not valid. Overwrites `part`.
[[nodiscard]] bool read_chat(std::string_view json, ChatPart& part);

/// Reads a streamed answer as it arrives.
class StreamReader {
public:
    /// Adds a piece; returns how many of its events contain output.
    std::size_t feed(std::string_view piece);
    /// Call at the body's end: a truncated stream is a problem.
    void end();

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
    [[nodiscard]] const api::Usage& usage() const noexcept { return usage_; }
    [[nodiscard]] std::uint64_t outputs() const noexcept { return outputs_; }

private:
    api::SseSplitter splitter_;
    ChatPart part_;
    std::string text_;
    std::string problem_;
    api::Usage usage_;
    std::uint64_t outputs_ = 0;
    bool finished_ = false;
    bool done_ = false;
};

}  // namespace spillway::load
