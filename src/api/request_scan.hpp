#pragma once
/// The few request fields that matter, read from a body in one pass without a DOM, and edits of the body
/// as a list of pieces, so that it is never copied.
/// Fields: OpenAI API reference (chat, completions, embeddings, responses). Of duplicated keys the last
/// counts, as with most servers (RFC 8259 §4 leaves it open). All of the body has to be JSON (RFC 8259);
/// whether the fields make sense together is the backend's part.
///
/// Ownership: a RequestScan views the body and the scanner's own buffers; it holds until the scanner's
/// next scan() or the body's end. Thread rule: one scanner per thread. No allocation but for a model, user
/// or key written with escapes, and none once the buffers have grown to that.
#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/media.hpp"

namespace spillway::api {

enum class ScanError : std::uint8_t {
    none,
    empty,       ///< no body, or white space only
    not_object,  ///< JSON, but not an object
    malformed,   ///< not JSON: cut short, unbalanced, trailing bytes
    bad_utf8,    ///< not UTF-8 (RFC 8259 §8.1)
    too_deep,    ///< more than 1,024 containers within one another
};
/// A sentence for the client's 400.
[[nodiscard]] std::string_view to_string(ScanError e) noexcept;

/// A value's place in the body, quotes or brackets included; length 0: absent.
struct Span {
    std::size_t offset = 0;
    std::size_t length = 0;
    [[nodiscard]] bool present() const noexcept { return length != 0; }
};

struct RequestScan {
    std::string_view model;                 ///< unescaped; empty if absent or not a string
    std::string_view user;                  ///< unescaped; empty if absent or not a string
    std::string_view previous_response_id;  ///< Responses API: lives on one resource only
    std::string_view conversation;          ///< Responses API: the id; empty if absent
    bool stream = false;
    bool background = false;          ///< Responses API: goes on without its client
    bool has_data_sources = false;    ///< Azure "on your data": takes no stream_options
    bool has_stream_options = false;  ///< present, whatever its value
    bool include_usage = false;       ///< stream_options.include_usage is true
    std::uint32_t n = 1;              ///< the larger of `n` and `best_of`
    /// The largest of max_tokens, max_completion_tokens and max_output_tokens; saturates.
    std::optional<std::uint64_t> max_tokens;
    /// Unicode characters of text in messages, prompt, input and instructions; data of images, audio and
    /// files, and structural strings (role, type, ids), are not counted.
    std::size_t prompt_chars = 0;
    /// No string of the body has a character outside ASCII, as bytes or as a "\u" escape. Sure when true.
    bool ascii = false;
    /// Token ids given as numbers (prompt and input may be arrays of them).
    std::size_t prompt_token_ids = 0;
    /// Messages, prompts and inputs: the array's length, or 1 for a single string, object or token array.
    std::size_t prompt_items = 0;
    /// Pictures, sound and files in messages and input.
    Media media;
    /// What describes tools, functions and the answer's form (response_format, text.format): the characters
    /// of its names and values and a few for each member's punctuation, white space left out.
    std::size_t schema_chars = 0;
    std::size_t tools = 0;  ///< how many tools and functions are described

    // For edited():
    Span model_span;               ///< the value of `model`
    Span stream_options_span;      ///< the value of `stream_options`; an object's is its '{' alone
    Span include_usage_span;       ///< the value of `stream_options.include_usage`
    std::size_t object_begin = 0;  ///< behind the body's '{'
    bool empty_object = true;      ///< the body has no member
    bool options_is_object = false;
    bool options_is_empty = true;
};

class RequestScanner {
public:
    /// Reads `body` into `out`, which is reset first. Nothing behind `body` is read.
    [[nodiscard]] ScanError scan(std::string_view body, RequestScan& out);

private:
    // Where fields that were written with escapes are unescaped to.
    std::string key_;
    std::string model_;
    std::string user_;
    std::string previous_response_id_;
    std::string conversation_;
};

using BodyPieces = boost::container::small_vector<std::string_view, 8>;

/// The body as pieces to be written one after another: `model` set to `new_model` (inserted if absent)
/// unless that is empty, and, if asked, `stream_options.include_usage` set to true. A `stream_options`
/// that is neither object nor null is left for the backend to refuse. Views into `body` and `scratch`
/// (replaced), which must outlive them. Precondition: `scan` is of this body and free of error.
[[nodiscard]] BodyPieces edited(std::string_view body, const RequestScan& scan, std::string_view new_model,
                                bool add_include_usage, std::string& scratch);

/// Total length of the pieces, for Content-Length.
[[nodiscard]] std::size_t total_size(const BodyPieces& pieces) noexcept;

}  // namespace spillway::api
