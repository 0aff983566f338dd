#pragma once
/// Reads the few request fields that matter from a body, in one pass without a DOM, and edits the body as a
/// list of pieces, so that it is never copied.
/// Fields: OpenAI API reference (chat, completions, embeddings, responses). Of duplicate keys the last one
/// counts, as with most servers (RFC 8259 §4 leaves it open). All of the body must be JSON (RFC 8259); the
/// backend checks whether the fields make sense together.
///
/// Ownership: a RequestScan views the body and the scanner's buffers; it is valid until the scanner's next
/// scan() or the body's end. Thread rule: one scanner per thread. Errors: ScanError. Allocates only for a
/// model, user or key with escapes, until the buffers are large enough.
#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/media.hpp"
#include "api/object_id.hpp"

namespace spillway::api {

enum class ScanError : std::uint8_t {
    none,
    empty,       ///< no body, or only white space
    not_object,  ///< JSON, but not an object
    malformed,   ///< not JSON: truncated, unbalanced, trailing bytes
    bad_utf8,    ///< not UTF-8 (RFC 8259 §8.1)
    too_deep,    ///< nested more than 1,024 deep
};
/// A sentence for the client's 400 answer.
[[nodiscard]] std::string_view to_string(ScanError e) noexcept;

/// A value's place in the body, including quotes or brackets; length 0: absent.
struct Span {
    std::size_t offset = 0;
    std::size_t length = 0;
    [[nodiscard]] bool present() const noexcept { return length != 0; }
};

struct RequestScan {
    std::string_view model;                 ///< unescaped; empty if absent or not a string
    std::string_view user;                  ///< unescaped; empty if absent or not a string
    std::string_view previous_response_id;  ///< Responses API: exists on one resource only
    std::string_view conversation;          ///< Responses API: the id; empty if absent
    bool stream = false;
    bool background = false;          ///< Responses API: continues without its client
    std::optional<bool> store;        ///< whether the answer is to be kept; nullopt: unspecified
    bool has_data_sources = false;    ///< Azure "on your data": accepts no stream_options
    bool has_stream_options = false;  ///< present, whatever its value
    bool include_usage = false;       ///< stream_options.include_usage is true
    std::uint32_t n = 1;              ///< the larger of `n` and `best_of`
    /// The largest of max_tokens, max_completion_tokens and max_output_tokens; saturates.
    std::optional<std::uint64_t> max_tokens;
    /// Unicode characters of text in messages, prompt, input and instructions, without the data of images,
    /// audio and files and without structural strings (role, type, ids).
    std::size_t prompt_chars = 0;
    /// No string in the body has a character outside ASCII, as bytes or "\u" escape. Certain when true.
    bool ascii = false;
    /// Token ids as numbers (prompt and input may be arrays of them).
    std::size_t prompt_token_ids = 0;
    /// Number of messages, prompts or inputs; 1 for a single string, object or token array.
    std::size_t prompt_items = 0;
    /// Pictures, sound and files in messages and input.
    Media media;
    /// Descriptions of tools, functions and the answer's format (response_format, text.format): the
    /// characters of names and values, and a few for each member's punctuation, without white space.
    std::size_t schema_chars = 0;
    std::size_t tools = 0;  ///< number of tools and functions described

    // For edited():
    Span model_span;               ///< the value of `model`
    Span stream_options_span;      ///< the value of `stream_options`; only the '{' of an object
    Span include_usage_span;       ///< the value of `stream_options.include_usage`
    std::size_t object_begin = 0;  ///< after the body's '{'
    bool empty_object = true;      ///< the body has no member
    bool options_is_object = false;
    bool options_is_empty = true;
};

class RequestScanner {
public:
    /// Reads `body` into `out`, which is reset first. Nothing beyond `body` is read.
    [[nodiscard]] ScanError scan(std::string_view body, RequestScan& out);
    /// The things that the last body names: the response or conversation it goes on with, files, vector
    /// stores, containers.
    [[nodiscard]] const IdList& ids() const noexcept { return ids_; }

private:
    // Buffers for fields with escapes.
    std::string key_;
    std::string model_;
    std::string user_;
    std::string previous_response_id_;
    std::string conversation_;
    IdList ids_;
};

using BodyPieces = boost::container::small_vector<std::string_view, 8>;

/// The body as pieces to be written in order: with `model` set to `new_model` (inserted if absent) unless
/// that is empty, and, on request, with `stream_options.include_usage` set to true. A `stream_options` that
/// is neither object nor null is left for the backend to refuse. Views `body` and `scratch` (overwritten),
/// which must outlive the pieces. Precondition: `scan` is from this body, without error.
[[nodiscard]] BodyPieces edited(std::string_view body, const RequestScan& scan, std::string_view new_model,
                                bool add_include_usage, std::string& scratch);

/// Total length of the pieces, for Content-Length.
[[nodiscard]] std::size_t total_size(const BodyPieces& pieces) noexcept;

}  // namespace spillway::api
