#pragma once
/// Measures what a request gives a model to read: the text, pictures, sound and files of messages and input,
/// and the descriptions of tools and of the answer's format. Part of request_scan's pass over the body.
///
/// Fields: OpenAI API reference (chat, completions, embeddings, responses).
/// Ownership: reads through a JsonReader and unescapes keys into a buffer; both must outlive it. No memory of
/// its own. Thread rule: a plain value. Errors: false once the body is not JSON.
#include <cstddef>
#include <string>

#include "api/json_reader.hpp"
#include "api/media.hpp"
#include "api/object_id.hpp"

namespace spillway::api {

/// What one of messages, prompt, input or instructions adds to the prompt.
struct Content {
    std::size_t chars = 0;      ///< Unicode characters of text
    std::size_t token_ids = 0;  ///< given as numbers
    std::size_t items = 0;
    Media media;
};

/// The descriptions of tools, or of the answer's format.
struct Schema {
    std::size_t chars = 0;  ///< see RequestScan::schema_chars
    std::size_t items = 0;  ///< length of the array; 0: none
};

class ContentScan {
public:
    /// `ids` gets those of files, vector stores, containers and the first item that are named on the way.
    ContentScan(JsonReader& reader, std::string& key, IdList& ids) noexcept
        : reader_(reader), key_(key), ids_(ids) {}

    /// Reads the whole value of messages, prompt, input or instructions.
    [[nodiscard]] bool prompt(Content& out);
    /// Reads the whole value of tools, functions, response_format or text.
    [[nodiscard]] bool schema(Schema& out);

private:
    [[nodiscard]] bool list(Content& out);
    [[nodiscard]] bool value(Content& out, int depth);
    [[nodiscard]] bool object(Content& out, int depth);
    [[nodiscard]] bool structure(Content& out, int depth);
    [[nodiscard]] bool part_value(MediaPart& part, std::string_view key);
    [[nodiscard]] bool holder(MediaPart& part, std::string_view name);
    [[nodiscard]] bool count(std::size_t& chars, int depth, bool things);

    JsonReader& reader_;
    void add_id(const JsonString& id);

    std::string& key_;
    IdList& ids_;
    bool has_reference_ = false;  ///< to an item of an earlier answer
};

}  // namespace spillway::api
