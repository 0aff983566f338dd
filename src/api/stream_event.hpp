#pragma once
/// Classifies an answer's SSE events for late commit: the preamble is held back until the first real output,
/// so that an error before it can still be retried elsewhere.
/// Sources: OpenAI API reference (chat/completions chunks; Responses streaming events); Azure OpenAI's
/// first chunk with prompt_filter_results (older versions: prompt_annotations).
///
/// Ownership: EventInfo views the classifier's buffer until the next classify(). Thread rule: one classifier
/// per thread. Errors: none; what is not understood is output.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/sse.hpp"
#include "api/usage.hpp"

namespace spillway::api {

enum class EventKind : std::uint8_t {
    preamble,    ///< nothing visible to a reader yet (also comments): may be held back
    output,      ///< real output, or not understood: commits the stream
    usage_only,  ///< chat/completions: empty `choices` and a `usage`
    error,       ///< an error inside a 200 stream
    done,        ///< data: [DONE]
    terminal,    ///< Responses API: response.completed or response.incomplete
};
[[nodiscard]] std::string_view to_string(EventKind kind) noexcept;

struct EventInfo {
    EventKind kind = EventKind::output;
    bool has_usage = false;
    bool responses_api = false;  ///< a typed event of the Responses API
    Usage usage;
    std::string_view error_code;        ///< error: its code (a number as text) or else type; may be empty
    std::string_view error_type;        ///< error: may be empty
    std::string_view error_param;       ///< error: may be empty
    std::string_view error_message;     ///< error: may be empty
    bool content_filter = false;        ///< error: the content filter's
    std::string_view finish_reason;     ///< the last choice's, or the response's status; may be empty
    std::uint32_t finished = 0;         ///< choices that have a finish_reason
    std::int64_t sequence_number = -1;  ///< Responses API; -1: none
};

/// The usage in the last bytes of an event that is too large to be read whole; the last one named.
[[nodiscard]] std::optional<Usage> usage_at_end(std::string_view tail);

class EventClassifier {
public:
    EventClassifier();
    EventClassifier(EventClassifier&&) noexcept;
    EventClassifier& operator=(EventClassifier&&) noexcept;
    ~EventClassifier();

    [[nodiscard]] EventInfo classify(std::string_view event, std::string_view data);
    [[nodiscard]] EventInfo classify(const SseEvent& e) { return classify(e.event, e.data); }

    /// After the commit: whether the event could contain usage, an error or the end, and so must be
    /// classified. A false "yes" costs a parse; a "no" is certain. Scans the data once, parses nothing.
    [[nodiscard]] static bool may_matter(std::string_view event, std::string_view data) noexcept;
    [[nodiscard]] static bool may_matter(std::string_view data) noexcept { return may_matter({}, data); }

    /// Whether the event only shows that work continues: a comment, or `keepalive` (Responses API, not
    /// documented; openai-node#1964), `ping` (Anthropic-compatible services) and the like.
    [[nodiscard]] static bool is_keep_alive(const SseEvent& event) noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace spillway::api
