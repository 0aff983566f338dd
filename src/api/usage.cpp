#include "api/usage.hpp"

#include <string.h>

#include <algorithm>
#include <limits>

#include "api/json_reader.hpp"
#include "api/json_value.hpp"

namespace spillway::api {
namespace {

constexpr std::string_view usage_key = R"("usage")";
/// Behind `usage` come at most service_tier and system_fingerprint; in the Responses API also user and
/// metadata, which may hold 16 values of 512 characters.
constexpr std::size_t tail_size = std::size_t{16} * 1024;

bool read_details(JsonReader& reader, std::string_view name, std::uint64_t& value) {
    if (reader.peek() != JsonKind::object) return reader.skip();
    return reader.object([&](const JsonString& key) {
        bool found = false;
        return key.raw == name ? read_count(reader, value, found) : reader.skip();
    });
}

enum class Tail : std::uint8_t { no, absent, found };

/// Whether `text`, which begins with the value of a member `usage`, goes on to the end of the body as the
/// rest of the outermost object does.
Tail read_tail(std::string_view text, Usage& usage) {
    JsonReader reader(text);
    bool found = false;
    if (!read_usage(reader, usage, found)) return Tail::no;
    if (!reader.finish_object()) return Tail::no;
    return found ? Tail::found : Tail::absent;
}

/// Where the last `"usage"` begins that begins before `end`; npos: nowhere.
std::size_t find_last_key(std::string_view text, std::size_t end) noexcept {
    // The letter in it that texts have least of.
    constexpr std::size_t letter_at = 4;
    static_assert(usage_key[letter_at] == 'g');
    std::size_t left = std::min(text.size(), end == std::string_view::npos ? end : end + letter_at + 1);
    while (left > 0) {
        const void* const found = ::memrchr(text.data(), usage_key[letter_at], left);
        if (found == nullptr) break;
        left = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
        if (left >= letter_at && text.substr(left - letter_at).starts_with(usage_key))
            return left - letter_at;
    }
    return std::string_view::npos;
}

/// The value of the last `"usage":` near the end, if it is a key of the outermost object. In JSON text a
/// quote within a string is escaped, so a bare one behind '{' or ',' begins a key.
Tail find_in_tail(std::string_view body, Usage& usage) {
    const std::string_view near = body.substr(body.size() - std::min(body.size(), tail_size));
    std::size_t end = std::string_view::npos;
    for (int tries = 0; tries < 4 && end != 0; ++tries) {
        const std::size_t in_near = find_last_key(near, end);
        if (in_near == std::string_view::npos) break;
        end = in_near == 0 ? 0 : in_near - 1;
        const std::size_t at = in_near + (body.size() - near.size());
        const std::size_t before =
            at == 0 ? std::string_view::npos : body.find_last_not_of(" \t\r\n", at - 1);
        if (before == std::string_view::npos || (body[before] != '{' && body[before] != ',')) continue;
        const std::size_t colon = body.find_first_not_of(" \t\r\n", at + usage_key.size());
        if (colon == std::string_view::npos || body[colon] != ':') continue;
        const Tail tail = read_tail(body.substr(colon + 1), usage);
        if (tail != Tail::no) return tail;
    }
    return Tail::no;
}

}  // namespace

bool read_usage(JsonReader& reader, Usage& usage, bool& found) {
    usage = {};
    found = false;
    if (reader.peek() != JsonKind::object) return reader.skip();
    bool has_total = false;
    const bool good = reader.object([&](const JsonString& key) {
        const std::string_view name = key.raw;
        if (name == "prompt_tokens" || name == "input_tokens") return read_count(reader, usage.prompt, found);
        if (name == "completion_tokens" || name == "output_tokens")
            return read_count(reader, usage.completion, found);
        if (name == "total_tokens") return read_count(reader, usage.total, has_total);
        if (name == "prompt_tokens_details" || name == "input_tokens_details")
            return read_details(reader, "cached_tokens", usage.cached);
        if (name == "completion_tokens_details" || name == "output_tokens_details")
            return read_details(reader, "reasoning_tokens", usage.reasoning);
        return reader.skip();
    });
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    if (!has_total)
        usage.total = usage.completion > most - usage.prompt ? most : usage.prompt + usage.completion;
    found = found || has_total;
    return good;
}

std::optional<Usage> parse_usage(std::string_view object) {
    JsonReader reader(object);
    Usage usage;
    bool found = false;
    if (!read_usage(reader, usage, found) || !reader.at_end() || !found) return std::nullopt;
    return usage;
}

std::optional<Usage> find_usage(std::string_view body) {
    Usage usage;
    const Tail tail = find_in_tail(body, usage);
    if (tail == Tail::absent) return std::nullopt;
    if (tail == Tail::found) return usage;

    JsonReader reader(body);
    bool found = false;
    if (reader.peek() != JsonKind::object) return std::nullopt;
    const bool good = reader.object([&](const JsonString& key) {
        return key.raw == "usage" ? read_usage(reader, usage, found) : reader.skip();
    });
    if (!good || !reader.at_end() || !found) return std::nullopt;
    return usage;
}

}  // namespace spillway::api
