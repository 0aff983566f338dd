#pragma once
/// The table of the API's operations, with one row for each. All differences between operations are in their
/// rows, so that a new operation is a line in api/operations.def and nothing else.
///
/// Sources: OpenAI API reference; Azure OpenAI REST API reference (data plane and v1).
/// Ownership: rows are constants. Thread rule: immutable. Errors: none.
#include <array>
#include <cstdint>
#include <string_view>

namespace spillway::api {

/// How an operation's request is read.
enum class BodyKind : std::uint8_t {
    json,       ///< must be a JSON object; anything else is refused
    multipart,  ///< a form (RFC 7578) with a `model` field
    any,        ///< read if it is a JSON object, otherwise forwarded unchanged
};

/// The kind of events in an operation's streams.
enum class StreamEvents : std::uint8_t {
    opaque,  ///< unknown: forwarded as they are
    chat,    ///< chunks with `choices`, ended by `[DONE]`
    typed,   ///< the Responses API's: `type`, `sequence_number`, ended by a terminal event
};

struct Operation {
    std::string_view name;      ///< in logs, metrics and the ledger
    std::string_view tail{};    ///< the path after the API's prefix; case-insensitive
    std::string_view method{};  ///< its method; others are `other`
    BodyKind body = BodyKind::any;
    StreamEvents events = StreamEvents::opaque;
    /// It requires a model or deployment.
    bool needs_model = false;
    /// Its plain answers are JSON; anything else is not an answer.
    bool answers_json = false;
    /// It generates text: output tokens are reserved, and prompts with the same beginning share a backend.
    bool writes_text = false;
    /// It accepts `stream_options.include_usage`.
    bool usage_chunk = false;
    /// Its path, query and body may name objects that live on one resource ("resp_…", "file-…") in places
    /// that the scan of a request does not know …
    bool names_ids = false;
    /// … its answer creates one, unless the request says `store: false` …
    bool makes_ids = false;
    /// … or only if it says `store: true` …
    bool keeps_if_asked = false;
    /// … and both may carry encrypted reasoning, which only its own resource can read.
    bool sealed_reasoning = false;
};

namespace operations {
#define SPILLWAY_OPERATION(operation, ...) \
    inline constexpr Operation operation{.name = #operation, __VA_ARGS__};
#include "api/operations.def"
#undef SPILLWAY_OPERATION
/// Everything else: polling, files, batches, lists of models …
inline constexpr Operation other{.name = "other", .names_ids = true, .makes_ids = true};
}  // namespace operations

/// GET …/models, which the gateway answers for all its backends.
inline constexpr std::string_view kModelsTail = "/models";

/// Most frequent first. Without `other`, which stands for everything not found here.
inline constexpr std::array kOperations{
#define SPILLWAY_OPERATION(operation, ...) &operations::operation,
#include "api/operations.def"
#undef SPILLWAY_OPERATION
};

/// The row's number: 0 for `other`, at most kOperations.size().
[[nodiscard]] constexpr std::uint32_t operation_index(const Operation& operation) noexcept {
    for (std::uint32_t i = 0; i < kOperations.size(); ++i)
        if (kOperations[i] == &operation) return i + 1;
    return 0;
}

}  // namespace spillway::api
