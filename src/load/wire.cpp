#include "load/wire.hpp"

#include <fmt/format.h>

#include "api/json_reader.hpp"
#include "base/json.hpp"
#include "base/path_segment.hpp"
#include "http/message.hpp"

namespace spillway::load {
namespace {

std::string path_of(const Target& target) {
    const std::string& base = target.url.base_path;
    if (target.style == Style::azure)
        return fmt::format("{}/openai/deployments/{}/chat/completions?api-version={}", base,
                           path_segment(target.deployment), path_segment(target.api_version));
    return base + (base.ends_with("/v1") ? "" : "/v1") + "/chat/completions";
}

bool read_text(api::JsonReader& reader, std::string& out) {
    if (reader.peek() != api::JsonKind::string) return reader.skip();
    api::JsonString text;
    std::string buffer;
    if (!reader.string(text)) return false;
    out += text.text(buffer);
    return true;
}

bool read_message(api::JsonReader& reader, ChatPart& part) {
    return reader.object([&](const api::JsonString& key) {
        if (key.raw == "content") return read_text(reader, part.content);
        const bool other = key.raw == "tool_calls" || key.raw == "refusal" || key.raw == "function_call";
        if (other && reader.peek() != api::JsonKind::null) part.output = true;
        return reader.skip();
    });
}

bool read_choice(api::JsonReader& reader, ChatPart& part) {
    return reader.object([&](const api::JsonString& key) {
        const bool message = key.raw == "delta" || key.raw == "message";
        if (message && reader.peek() == api::JsonKind::object) return read_message(reader, part);
        if (key.raw == "finish_reason" && reader.peek() == api::JsonKind::string) part.finished = true;
        return reader.skip();
    });
}

bool read_error(api::JsonReader& reader, ChatPart& part) {
    if (reader.peek() == api::JsonKind::null) return reader.skip();
    part.error = "error";
    if (reader.peek() != api::JsonKind::object) return reader.skip();
    std::string code;
    std::string type;
    const bool good = reader.object([&](const api::JsonString& key) {
        if (key.raw == "code") return read_text(reader, code);
        if (key.raw == "type") return read_text(reader, type);
        return reader.skip();
    });
    if (!code.empty() || !type.empty()) part.error = code.empty() ? type : code;
    return good;
}

}  // namespace

std::string_view to_string(Style style) noexcept {
    return style == Style::azure ? "azure" : "v1";
}

RequestForm::RequestForm(const Target& target)
    : limit_(target.max_completion_tokens ? "max_completion_tokens" : "max_tokens"),
      include_usage_(target.include_usage) {
    fields_ = fmt::format("POST {} HTTP/1.1\r\n", path_of(target));
    http::append_field(fields_, "Host", target.url.authority());
    http::append_field(fields_, "content-type", "application/json");
    http::append_field(fields_, "user-agent", "spillway-load");
    if (!target.api_key.empty()) {
        if (target.style == Style::azure)
            http::append_field(fields_, "api-key", target.api_key.reveal());
        else
            http::append_field(fields_, "authorization", fmt::format("Bearer {}", target.api_key.reveal()));
    }
    for (const auto& [name, value] : target.fields) http::append_field(fields_, name, value);
    if (target.style == Style::v1) {
        model_ = ",\"model\":";
        append_json_string(model_, target.deployment);
    }
}

RequestParts RequestForm::parts(const Conversation& conversation) const {
    constexpr std::string_view begin = "{\"messages\":[";
    RequestParts out;
    out.tail = "]";
    out.tail += model_;
    if (conversation.max_tokens() > 0)
        fmt::format_to(std::back_inserter(out.tail), ",\"{}\":{}", limit_, conversation.max_tokens());
    if (conversation.streamed()) {
        out.tail += ",\"stream\":true";
        if (include_usage_) out.tail += R"(,"stream_options":{"include_usage":true})";
    }
    out.tail += '}';
    const std::size_t length = begin.size() + conversation.messages().size() + out.tail.size();
    out.head = fmt::format("{}content-length: {}\r\n\r\n{}", fields_, length, begin);
    return out;
}

bool read_chat(std::string_view json, ChatPart& part) {
    part = ChatPart{};
    api::JsonReader reader(json);
    const bool good = reader.object([&](const api::JsonString& key) {
        if (key.raw == "choices" && reader.peek() == api::JsonKind::array)
            return reader.array([&] { return read_choice(reader, part); });
        if (key.raw == "error") return read_error(reader, part);
        if (key.raw == "usage" && reader.peek() == api::JsonKind::object) {
            const std::size_t from = reader.offset();
            if (!reader.skip()) return false;
            if (const auto usage = api::parse_usage(json.substr(from, reader.offset() - from))) {
                part.usage = *usage;
                part.has_usage = true;
            }
            return true;
        }
        return reader.skip();
    });
    part.output = part.output || !part.content.empty();
    return good && reader.at_end();
}

std::size_t StreamReader::feed(std::string_view piece) {
    std::size_t outputs = 0;
    splitter_.feed(piece);
    api::SseEvent event;
    while (splitter_.next(event)) {
        if (!event.has_data) continue;
        if (event.data == "[DONE]") {
            done_ = true;
            continue;
        }
        if (!read_chat(event.data, part_)) {
            if (problem_.empty()) problem_ = "stream: not a chunk";
            continue;
        }
        if (!part_.error.empty() && problem_.empty()) problem_ = "stream: " + part_.error;
        if (part_.has_usage) usage_ = part_.usage;
        finished_ = finished_ || part_.finished;
        if (!part_.output) continue;
        text_ += part_.content;
        ++outputs;
    }
    outputs_ += outputs;
    return outputs;
}

void StreamReader::end() {
    if (problem_.empty() && !done_ && !finished_) problem_ = "stream: cut";
}

}  // namespace spillway::load
