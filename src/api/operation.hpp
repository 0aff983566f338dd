#pragma once
/// What the gateway knows of each operation of the API: one row each. Everything that differs between
/// operations is asked of the row, so that a new operation is a line in api/operations.def and nothing else.
///
/// Sources: OpenAI API reference; Azure OpenAI REST API reference (data plane and v1).
/// Ownership: rows are constants. Thread rule: immutable. Errors: none.
#include <array>
#include <cstdint>
#include <string_view>

namespace spillway::api {

/// How an operation's request is read.
enum class BodyKind : std::uint8_t {
    json,       ///< must be a JSON object: anything else is refused
    multipart,  ///< a form (RFC 7578) with a `model` field
    any,        ///< read if it is a JSON object, passed on as it is otherwise
};

/// How the events of an operation's streams are understood.
enum class StreamEvents : std::uint8_t {
    opaque,  ///< not at all: they pass as they come
    chat,    ///< chunks with `choices`, ended by `[DONE]`
    typed,   ///< the Responses API's: `type`, `sequence_number`, ended by a terminal event
};

struct Operation {
    std::string_view name;      ///< in logs, metrics and the ledger
    std::string_view tail{};    ///< of the path, behind the surface's prefix; without regard to case
    std::string_view method{};  ///< the one by which it is asked for; others are `other`
    BodyKind body = BodyKind::any;
    StreamEvents events = StreamEvents::opaque;
    /// Without a model or deployment there is nothing that it could be asked of.
    bool needs_model = false;
    /// Its plain answers are JSON: anything else is not an answer.
    bool answers_json = false;
    /// It writes text: output tokens are reserved, and prompts that begin alike go to the same backend.
    bool writes_text = false;
    /// `stream_options.include_usage` may be asked of it.
    bool usage_chunk = false;
    /// Its path or body may name a thing that lives on one resource ("resp_…", "file-…") …
    bool names_ids = false;
    /// … its answer makes one …
    bool makes_ids = false;
    /// … and both may carry encrypted reasoning, which only the resource that made it can read.
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

/// GET …/models: answered by the gateway for all its backends.
inline constexpr std::string_view kModelsTail = "/models";

/// The most often asked for first. `other` is not in it: it is what is found when nothing else is.
inline constexpr std::array kOperations{
#define SPILLWAY_OPERATION(operation, ...) &operations::operation,
#include "api/operations.def"
#undef SPILLWAY_OPERATION
};

/// A number for each row, 0 for `other`: below kOperations.size() + 1.
[[nodiscard]] constexpr std::uint32_t operation_index(const Operation& operation) noexcept {
    for (std::uint32_t i = 0; i < kOperations.size(); ++i)
        if (kOperations[i] == &operation) return i + 1;
    return 0;
}

}  // namespace spillway::api
