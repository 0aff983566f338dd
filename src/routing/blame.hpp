#pragma once
/// Whose fault it is that an attempt ended as it did, how far that reaches, and what follows: one pure
/// function, so that a client's own mistake is never taken for a backend's failure. docs/routing.md has the
/// table it follows, and tests/routing/blame_test.cpp holds the two together.
///
/// Sources: RFC 9110 §15 (status codes); Azure OpenAI and OpenAI error references; the error objects that
/// vLLM, SGLang, llama.cpp, Mistral, Gemini's and Anthropic's compatible endpoints send, as public reports
/// show them.
///
/// Ownership: Evidence views what the caller read and is not kept; Verdict is a plain value. Thread rule: a
/// free function. Errors: none; what is not known is judged by its kind.
#include <cstdint>
#include <optional>
#include <string_view>

#include "routing/verdict.hpp"

namespace spillway::routing {

/// What the table of operations knows of a request, as far as blame depends on it.
struct OperationFacts {
    /// The request asks a deployment or model to work. False for things with ids (files, batches, stored
    /// responses) and lists: there a 404 or a 409 is about the thing.
    bool asks_a_model = true;
    /// A plain 200 is JSON: nothing at all or an HTML page is not an answer. False where anything may come
    /// (a file's content, speech).
    bool answers_json = true;
};

/// What was seen of an attempt's end.
enum class Came : std::uint8_t {
    answer,         ///< a head, and of the body what Evidence says
    stream_error,   ///< an error event inside a 200 stream
    no_connection,  ///< no connection: name, refused, reset while connecting, TLS, certificate, connect
                    ///< time-out
    no_proxy,       ///< the egress proxy cannot be reached, or does not lead to the backend
    cut,            ///< closed or reset after the request was sent, before the answer was complete
    malformed,      ///< not HTTP, or not the framing it promised
    timed_out,      ///< the request was accepted, and a time limit passed (first token, stall, whole request)
    no_credential,  ///< none could be had for this backend
    local_limit,    ///< a limit of the gateway's own: descriptors, memory, size of an event or a head
    client_left,    ///< the client went away, or the gateway shuts down
};

/// What is known of a body, without judging what it says.
enum class BodyShape : std::uint8_t {
    unread,  ///< not looked at, or nothing that stands out
    empty,   ///< complete, and nothing in it
    html,    ///< a page, by its content type or its first bytes
    error,   ///< an error object; its members are in Evidence
};

struct Evidence {
    Came came = Came::answer;
    unsigned status = 0;  ///< of the answer's head; 0: none came
    BodyShape body = BodyShape::unread;
    /// Of the error object, wherever it stood; a number is given as its text.
    std::string_view code, type, param, message;
    bool content_filter = false;  ///< also said by `innererror`
    bool output_sent = false;     ///< some of the answer has gone to the client
    /// What the backend is thought to charge for the request, and the whole of the deployment's quota as far
    /// as it is known (configured, told by this answer's head, or learned), in tokens. 0: not known.
    std::uint64_t charge = 0;
    std::uint64_t whole_quota = 0;
};

[[nodiscard]] Verdict blame(const Evidence& evidence, const OperationFacts& operation) noexcept;

}  // namespace spillway::routing
