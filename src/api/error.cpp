#include "api/error.hpp"

#include <array>
#include <utility>

#include "api/json_reader.hpp"
#include "api/json_value.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"

namespace spillway::api {
namespace {

void append_or_null(std::string& out, std::string_view text) {
    if (text.empty())
        out.append("null");
    else
        append_json_string(out, text);
}

/// What Azure and OpenAI call a prompt or picture refused for its content.
bool is_content_filter(std::string_view code) noexcept {
    constexpr std::array<std::string_view, 4> codes{
        "content_filter", "contentFilter", "content_policy_violation", "ResponsibleAIPolicyViolation"};
    for (const std::string_view known : codes)
        if (iequals(code, known)) return true;
    return false;
}

bool read_inner(JsonReader& reader, ApiError& error) {
    if (reader.peek() != JsonKind::object) return reader.skip();
    return reader.object([&](const JsonString& key) {
        if (key.raw != "code") return reader.skip();
        std::string code;
        if (!read_text(reader, code)) return false;
        error.content_filter = error.content_filter || is_content_filter(code);
        return true;
    });
}

/// OpenRouter's word for a prompt that its moderation refused.
bool read_metadata(JsonReader& reader, ApiError& error) {
    if (reader.peek() != JsonKind::object) return reader.skip();
    return reader.object([&](const JsonString& key) {
        if (key.raw == "flagged_input") error.content_filter = true;
        return reader.skip();
    });
}

/// The error object's members, or a front end's at the top level.
bool read_member(JsonReader& reader, std::string_view key, ApiError& error) {
    if (key == "code" || key == "statusCode") return read_text(reader, error.code);
    if (key == "message") return read_text(reader, error.message);
    if (key == "type") return read_text(reader, error.type);
    if (key == "param") return read_text(reader, error.param);
    if (key == "innererror" || key == "inner_error") return read_inner(reader, error);
    return reader.skip();
}

}  // namespace

std::string error_json(std::string_view message, std::string_view type, std::string_view code,
                       std::string_view param) {
    std::string out = R"({"error":{"message":)";
    append_json_string(out, message);
    out.append(R"(,"type":)");
    append_json_string(out, type);
    out.append(R"(,"param":)");
    append_or_null(out, param);
    out.append(R"(,"code":)");
    append_or_null(out, code);
    out.append("}}");
    return out;
}

namespace {

/// `wrapped`: so many errors around this one.
bool read_error_in(JsonReader& reader, ApiError& error, int wrapped) {
    constexpr int most = 3;
    if (reader.peek() == JsonKind::string) return read_text(reader, error.message);
    if (reader.peek() != JsonKind::object) return reader.skip();
    std::string status;  // Google's name for a code, and some servers' for its number
    const bool good = reader.object([&](const JsonString& key) {
        if (key.raw == "status" || key.raw == "status_code" || key.raw == "http_status_code")
            return read_text(reader, status);
        if (key.raw == "metadata") return read_metadata(reader, error);
        if (key.raw == "error" && wrapped < most) return read_error_in(reader, error, wrapped + 1);
        return read_member(reader, key.raw, error);
    });
    if (error.code.empty()) error.code = std::move(status);
    error.content_filter = error.content_filter || is_content_filter(error.code);
    return good;
}

}  // namespace

bool read_error(JsonReader& reader, ApiError& error) {
    return read_error_in(reader, error, 0);
}

std::optional<ApiError> parse_error(std::string_view body, bool refusal) {
    JsonReader reader(body);
    ApiError error;
    ApiError top;
    bool found = false;
    bool status_code = false;
    if (reader.peek() != JsonKind::object) return std::nullopt;
    const bool good = reader.object([&](const JsonString& key) {
        if (key.raw == "error") {
            error = {};
            const JsonKind kind = reader.peek();
            found = kind == JsonKind::object || kind == JsonKind::string;
            return read_error(reader, error);
        }
        if (key.raw == "object") {
            std::string what;
            if (!read_text(reader, what)) return false;
            status_code = status_code || what == "error";
            return true;
        }
        status_code = status_code || key.raw == "statusCode";
        return read_member(reader, key.raw, top);
    });
    if (!good || !reader.at_end()) return std::nullopt;
    if (found && !(error.code.empty() && error.message.empty() && error.type.empty())) return error;
    if ((status_code || refusal) && !top.message.empty()) return top;
    return std::nullopt;
}

std::string sse_error_chat(std::string_view message, std::string_view type, std::string_view code) {
    return "data: " + error_json(message, type, code) + "\n\n";
}

std::string sse_error_responses(std::string_view message, std::string_view code,
                                std::int64_t sequence_number) {
    std::string out = "event: error\ndata: {\"type\":\"error\",\"code\":";
    append_or_null(out, code);
    out.append(R"(,"message":)");
    append_json_string(out, message);
    out.append(R"(,"param":null,"sequence_number":)").append(std::to_string(sequence_number));
    out.append("}\n\n");
    return out;
}

}  // namespace spillway::api
