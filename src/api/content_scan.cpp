#include "api/content_scan.hpp"

#include <utility>

namespace spillway::api {
namespace {

/// A request's text lies at most a handful of containers deep; what is deeper is checked, not counted.
constexpr int max_text_depth = 32;
/// Quotes, colon, comma: what a member of an object or an item of a list takes besides its name and value.
constexpr std::size_t punctuation = 3;
/// A number, true, false or null.
constexpr std::size_t short_value = 4;

/// Inside a message or an input item, the values of these keys are text the model reads; all other strings
/// are roles, types, ids, links or data.
bool is_text_key(std::string_view key) noexcept {
    switch (key.size()) {
        case 4:
            return key == "text" || key == "code" || key == "diff" || key == "logs";
        case 5:
            return key == "input";
        case 6:
            return key == "output" || key == "stdout" || key == "stderr";
        case 7:
            return key == "content" || key == "refusal" || key == "summary";
        case 9:
            return key == "arguments";
        case 17:
            return key == "reasoning_content" || key == "encrypted_content";
        default:
            return false;
    }
}

/// Members of a part whose values say more of it (chat: image_url, input_audio, file; assistants:
/// image_file).
bool is_holder(std::string_view key) noexcept {
    return key == "image_url" || key == "input_audio" || key == "file" || key == "image_file";
}

/// Where a string member of a part is kept; null: it does not matter.
std::string_view* field_of(MediaPart& part, std::string_view key) noexcept {
    switch (key.size()) {
        case 4:
            return key == "type" ? &part.type : nullptr;
        case 6:
            return key == "detail" ? &part.detail : nullptr;
        case 7:
            return key == "file_id" ? &part.file_id : nullptr;
        case 8:
            return key == "file_url" ? &part.file_url : nullptr;
        case 9:
            return key == "file_data" ? &part.file_data : key == "image_url" ? &part.image_url : nullptr;
        default:
            return nullptr;
    }
}

/// Members of tools that name things: lists of ids, or (`container`) one.
bool names_things(std::string_view key) noexcept {
    return (key.size() == 7 && key == "file_id") ||
           (key.size() == 8 && (key == "file_ids" || key == "skill_id")) ||
           (key.size() == 9 && key == "container") || (key.size() == 12 && key == "container_id") ||
           (key.size() == 16 && key == "vector_store_ids");
}

/// The same within a holder.
std::string_view* held_field_of(MediaPart& part, std::string_view holder, std::string_view key) noexcept {
    if (holder == "image_url" && key == "url") return &part.image_url;
    if (holder == "input_audio" && key == "data") return &part.audio_data;
    if (holder == "input_audio" && key == "format") return &part.audio_format;
    return field_of(part, key);
}

}  // namespace

bool ContentScan::prompt(Content& out) {
    out = {};
    switch (reader_.peek()) {
        case JsonKind::array:
            return list(out);
        case JsonKind::string:
        case JsonKind::object:
            out.items = 1;
            return value(out, 0);
        default:
            return reader_.skip();
    }
}

/// A list of strings, messages or token lists; or one list of tokens, which is one prompt.
bool ContentScan::list(Content& out) {
    std::size_t length = 0;
    std::size_t numbers = 0;
    const bool good = reader_.array([&] {
        ++length;
        if (reader_.peek() != JsonKind::number) return value(out, 0);
        ++numbers;
        return reader_.skip();
    });
    out.token_ids += numbers;
    out.items = numbers > 0 && numbers == length ? 1 : length;
    return good;
}

/// Counts a value that is text itself or holds some.
bool ContentScan::value(Content& out, int depth) {
    if (depth == max_text_depth) return reader_.skip();
    switch (reader_.peek()) {
        case JsonKind::string: {
            JsonString s;
            if (!reader_.string(s)) return false;
            out.chars += s.characters();
            return true;
        }
        case JsonKind::array:
            return reader_.array([&] {
                if (reader_.peek() == JsonKind::number) ++out.token_ids;
                return value(out, depth + 1);
            });
        case JsonKind::object:
            return object(out, depth);
        default:
            return reader_.skip();
    }
}

void ContentScan::add_id(const JsonString& id) {
    std::string buffer;
    const std::string_view text = id.text(buffer);
    if (is_object_id(text)) ids_.add(text);
}

bool ContentScan::object(Content& out, int depth) {
    MediaPart part;
    JsonString id;
    const bool good = reader_.object([&](const JsonString& key) {
        const std::string_view name = key.text(key_);
        if (is_text_key(name)) return value(out, depth + 1);
        const JsonKind kind = reader_.peek();
        if (kind == JsonKind::string && name == "id") return reader_.string(id);
        if (kind == JsonKind::string) return part_value(part, name);
        if (kind == JsonKind::object && is_holder(name)) return holder(part, name);
        // What a server of tools listed, or a search for tools found.
        if (kind == JsonKind::array && name == "tools") return count(out.chars, depth + 1, false);
        return structure(out, depth + 1);
    });
    out.media += part.measure();
    // The first tells where the others are.
    if (good && part.type == "item_reference" && !id.raw.empty() && !std::exchange(has_reference_, true))
        ids_.add(id.text(key_));
    return good;
}

bool ContentScan::part_value(MediaPart& part, std::string_view key) {
    // What an earlier turn drew: its data is the picture.
    std::string_view* const field =
        key == "result" && part.type == "image_generation_call" ? &part.image_data : field_of(part, key);
    if (field == nullptr) return reader_.skip();
    JsonString s;
    if (!reader_.string(s)) return false;
    if (field == &part.file_id) add_id(s);
    *field = s.raw;
    return true;
}

bool ContentScan::holder(MediaPart& part, std::string_view name) {
    // By its own name: the buffer it may lie in is used again for the keys inside.
    const std::string_view holder = name == "image_url"     ? std::string_view("image_url")
                                    : name == "input_audio" ? std::string_view("input_audio")
                                    : name == "file"        ? std::string_view("file")
                                                            : std::string_view("image_file");
    if (holder == "image_file") part.type = holder;
    return reader_.object([&](const JsonString& key) {
        std::string_view* const field = held_field_of(part, holder, key.text(key_));
        if (field == nullptr || field == &part.type || reader_.peek() != JsonKind::string)
            return reader_.skip();
        JsonString s;
        if (!reader_.string(s)) return false;
        if (field == &part.file_id) add_id(s);
        *field = s.raw;
        return true;
    });
}

/// A value that is no text itself, but may hold some further in (tool_calls, function).
bool ContentScan::structure(Content& out, int depth) {
    if (depth == max_text_depth) return reader_.skip();
    switch (reader_.peek()) {
        case JsonKind::object:
            return value(out, depth);
        case JsonKind::array:
            return reader_.array([&] { return structure(out, depth + 1); });
        default:
            return reader_.skip();
    }
}

bool ContentScan::schema(Schema& out) {
    out = {};
    const JsonKind kind = reader_.peek();
    if (kind == JsonKind::object) return count(out.chars, 0, false);
    if (kind != JsonKind::array) return reader_.skip();
    return reader_.array([&] {
        ++out.items;
        out.chars += punctuation;
        return count(out.chars, 1, false);
    });
}

/// `things`: the value of a member that names things.
bool ContentScan::count(std::size_t& chars, int depth, bool things) {
    if (depth == max_text_depth) {  // of what is deeper, the length will do
        const std::size_t begin = reader_.offset();
        const bool good = reader_.skip();
        chars += reader_.offset() - begin;
        return good;
    }
    switch (reader_.peek()) {
        case JsonKind::string: {
            JsonString s;
            if (!reader_.string(s)) return false;
            chars += s.characters();
            if (things) add_id(s);
            return true;
        }
        case JsonKind::object:
            return reader_.object([&](const JsonString& key) {
                chars += key.characters() + punctuation;
                const bool named = names_things(key.text(key_));
                return count(chars, depth + 1, named);
            });
        case JsonKind::array:
            return reader_.array([&] {
                chars += punctuation;
                return count(chars, depth + 1, things);
            });
        default:
            chars += short_value;
            return reader_.skip();
    }
}

}  // namespace spillway::api
