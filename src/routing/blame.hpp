#pragma once
/// Decides who is at fault for an attempt's end, what scope that has, and what follows: one pure function, so
/// that a client's own mistake is never taken for a backend's failure. It implements the table in
/// docs/routing.md; tests/routing/blame_test.cpp checks that the two agree.
///
/// Sources: RFC 9110 §15 (status codes); Azure OpenAI and OpenAI error references; the error objects sent by
/// vLLM, SGLang, llama.cpp, Mistral and the compatible endpoints of Gemini and Anthropic, as seen in public
/// reports.
///
/// Ownership: Evidence views what the caller read and is not kept; Verdict is a plain value. Thread rule: a
/// free function. Errors: none; an unknown status is judged by its class.
#include <cstdint>
#include <optional>
#include <string_view>

#include "routing/verdict.hpp"

namespace spillway::routing {

/// The properties of a request's operation that blame depends on.
struct OperationFacts {
    /// The request is for a deployment or model. False for objects with ids (files, batches, stored
    /// responses) and for lists: there a 404 or 409 concerns the object.
    bool asks_a_model = true;
    /// A plain 200 is JSON: an empty body or an HTML page is not an answer. False where the body may be
    /// anything (a file's content, speech).
    bool answers_json = true;
};

/// How an attempt ended, as observed.
enum class Came : std::uint8_t {
    answer,         ///< a head; Evidence describes the body
    stream_error,   ///< an error event inside a 200 stream
    no_connection,  ///< no connection: DNS, refused, reset while connecting, TLS, certificate, connect
                    ///< time-out
    no_proxy,       ///< the egress proxy is unreachable, or does not connect to the backend
    cut,            ///< closed or reset between the request and the end of the answer
    malformed,      ///< not valid HTTP, or wrong framing
    timed_out,      ///< accepted, but a time limit passed (first token, stall, whole request)
    no_credential,  ///< none was available for this backend
    local_limit,    ///< the gateway's own limit: descriptors, memory, size of an event or head
    client_left,    ///< the client left, or the gateway is shutting down
};

/// What is known about a body, without interpreting it.
enum class BodyShape : std::uint8_t {
    unread,  ///< not examined, or nothing remarkable
    empty,   ///< complete, without content
    html,    ///< a page, by content type or first bytes
    error,   ///< an error object, described in Evidence
};

struct Evidence {
    Came came = Came::answer;
    unsigned status = 0;  ///< of the answer's head; 0: none
    BodyShape body = BodyShape::unread;
    /// From the error object, wherever it was; numbers as text.
    std::string_view code{}, type{}, param{}, message{};
    bool content_filter = false;  ///< also from `innererror`
    bool output_sent = false;     ///< part of the answer has reached the client
    /// The backend's estimated charge for the request, and the deployment's whole quota if known (configured,
    /// reported by this answer's head, or learned), in tokens. 0: not known.
    std::uint64_t charge = 0;
    std::uint64_t whole_quota = 0;
};

[[nodiscard]] Verdict blame(const Evidence& evidence, const OperationFacts& operation) noexcept;

}  // namespace spillway::routing
