#include "api/stream_event.hpp"

#include <algorithm>
#include <array>

#include "api/error.hpp"
#include "api/json_reader.hpp"
#include "api/json_value.hpp"
#include "base/find_text.hpp"
#include "base/strings.hpp"

namespace spillway::api {

struct EventClassifier::Impl {
    // What one event says, before its kind is decided.
    std::string type;
    std::string finish_reason;
    std::string status;
    std::string item_type;
    std::string object;
    ApiError top;    // code and message beside `type`
    ApiError error;  // the `error` object, of the event or its response
    Usage usage;
    std::uint32_t finished = 0;
    std::int64_t sequence_number = -1;
    bool has_error = false;
    bool has_usage = false;
    bool has_status_code = false;
    bool calls_itself_error = false;  // "object":"error"
    bool has_choices = false;
    bool empty_choices = false;
    bool output = false;  // some choice has something to see

    bool read(JsonReader& reader);
    [[nodiscard]] EventKind kind(std::string_view event) const;

private:
    void reset();
    bool member(JsonReader& reader, std::string_view key);
    bool read_error_value(JsonReader& reader);
    bool read_response(JsonReader& reader);
    bool read_item(JsonReader& reader);
    bool read_choices(JsonReader& reader);
    bool read_choice(JsonReader& reader);
    bool read_delta(JsonReader& reader);
    bool read_content(JsonReader& reader);
    [[nodiscard]] EventKind typed_kind(std::string_view name) const;
    [[nodiscard]] bool is_bare_error(std::string_view event) const noexcept;
};

void EventClassifier::Impl::reset() {
    type.clear();
    finish_reason.clear();
    status.clear();
    item_type.clear();
    for (ApiError* e : {&top, &error}) {
        e->code.clear();
        e->message.clear();
        e->type.clear();
        e->param.clear();
        e->content_filter = false;
    }
    usage = {};
    finished = 0;
    sequence_number = -1;
    has_error = has_usage = has_status_code = calls_itself_error = false;
    has_choices = empty_choices = output = false;
}

bool EventClassifier::Impl::read(JsonReader& reader) {
    reset();
    if (reader.peek() != JsonKind::object) return false;
    return reader.object([&](const JsonString& key) { return member(reader, key.raw); }) && reader.at_end();
}

bool EventClassifier::Impl::member(JsonReader& reader, std::string_view key) {
    if (key == "choices") return read_choices(reader);
    if (key == "usage") return read_usage(reader, usage, has_usage);
    if (key == "error") return read_error_value(reader);
    if (key == "type") return read_text(reader, type);
    if (key == "response") return read_response(reader);
    if (key == "item") return read_item(reader);
    if (key == "message") return read_text(reader, top.message);
    if (key == "code") return read_text(reader, top.code);
    if (key == "param") return read_text(reader, top.param);
    if (key == "error_type") return read_text(reader, error.type);  // Text Generation Inference
    if (key == "object") {
        if (!read_text(reader, object)) return false;
        calls_itself_error = object == "error";
        return true;
    }
    if (key == "statusCode") {
        if (!read_text(reader, top.code)) return false;
        has_status_code = !top.code.starts_with('2');
        return true;
    }
    if (key == "sequence_number") {
        std::uint64_t number = 0;
        bool found = false;
        if (!read_count(reader, number, found)) return false;
        constexpr std::uint64_t most = INT64_MAX;
        if (found) sequence_number = static_cast<std::int64_t>(number < most ? number : most);
        return true;
    }
    return reader.skip();
}

bool EventClassifier::Impl::read_error_value(JsonReader& reader) {
    const JsonKind what = reader.peek();
    if (what != JsonKind::object && what != JsonKind::string) return reader.skip();
    if (!read_error(reader, error)) return false;
    has_error = has_error || !error.code.empty() || !error.message.empty() || !error.type.empty();
    return true;
}

bool EventClassifier::Impl::read_response(JsonReader& reader) {
    if (reader.peek() != JsonKind::object) return reader.skip();
    return reader.object([&](const JsonString& key) {
        if (key.raw == "usage") return read_usage(reader, usage, has_usage);
        if (key.raw == "error") return read_error_value(reader);
        if (key.raw == "status") return read_text(reader, status);
        return reader.skip();
    });
}

bool EventClassifier::Impl::read_item(JsonReader& reader) {
    if (reader.peek() != JsonKind::object) return reader.skip();
    return reader.object([&](const JsonString& key) {
        return key.raw == "type" ? read_text(reader, item_type) : reader.skip();
    });
}

bool EventClassifier::Impl::read_choices(JsonReader& reader) {
    has_choices = reader.peek() == JsonKind::array;
    if (!has_choices) return reader.skip();
    empty_choices = true;
    return reader.array([&] {
        empty_choices = false;
        return read_choice(reader);
    });
}

bool EventClassifier::Impl::read_choice(JsonReader& reader) {
    if (reader.peek() != JsonKind::object) {
        output = true;
        return reader.skip();
    }
    return reader.object([&](const JsonString& key) {
        const std::string_view name = key.raw;
        if (name == "delta") return read_delta(reader);
        if (name == "finish_reason") {
            if (reader.peek() == JsonKind::null) return reader.skip();
            output = true;
            ++finished;
            return read_text(reader, finish_reason);
        }
        // Annotations say what was found in text that goes out by itself.
        if (name == "index" || name == "logprobs" || istarts_with(name, "content_filter_"))
            return reader.skip();
        return read_content(reader);
    });
}

bool EventClassifier::Impl::read_delta(JsonReader& reader) {
    if (reader.peek() != JsonKind::object) return read_content(reader);
    return reader.object(
        [&](const JsonString& key) { return key.raw == "role" ? reader.skip() : read_content(reader); });
}

/// Anything but null, "", [] and {} is something to see.
bool EventClassifier::Impl::read_content(JsonReader& reader) {
    const auto see = [&] {
        output = true;
        return reader.skip();
    };
    switch (reader.peek()) {
        case JsonKind::null:
            return reader.skip();
        case JsonKind::string: {
            JsonString text;
            if (!reader.string(text)) return false;
            output = output || !text.raw.empty();
            return true;
        }
        case JsonKind::array:
            return reader.array(see);
        case JsonKind::object:
            return reader.object([&](const JsonString&) { return see(); });
        default:
            return see();
    }
}

EventKind EventClassifier::Impl::typed_kind(std::string_view name) const {
    if (name == "error" || name == "response.failed") return EventKind::error;
    if (name == "response.completed" || name == "response.incomplete" || name == "response.cancelled")
        return EventKind::terminal;
    if (name == "response.created" || name == "response.queued" || name == "response.in_progress" ||
        name == "response.content_part.added" || name == "response.reasoning_summary_part.added")
        return EventKind::preamble;
    // A message or a train of thought begins empty; other items are calls of tools, which are seen to work.
    if (name == "response.output_item.added" && (item_type == "message" || item_type == "reasoning"))
        return EventKind::preamble;
    return EventKind::output;
}

/// An error's members without an `error` around them, as vLLM and Mistral write them, or without any name.
bool EventClassifier::Impl::is_bare_error(std::string_view event) const noexcept {
    if (calls_itself_error) return true;
    return !has_choices && sequence_number < 0 && !top.code.empty() && top.code != "0" && top.code != "200" &&
           !top.message.empty() && !event.starts_with("response.") && !type.starts_with("response.");
}

EventKind EventClassifier::Impl::kind(std::string_view event) const {
    if (has_error || has_status_code || event == "error" || is_bare_error(event)) return EventKind::error;
    if (has_choices && empty_choices) return has_usage ? EventKind::usage_only : EventKind::preamble;
    if (has_choices) return output ? EventKind::output : EventKind::preamble;
    return typed_kind(type.empty() ? event : std::string_view(type));
}

EventClassifier::EventClassifier() : impl_(std::make_unique<Impl>()) {}
EventClassifier::EventClassifier(EventClassifier&&) noexcept = default;
EventClassifier& EventClassifier::operator=(EventClassifier&&) noexcept = default;
EventClassifier::~EventClassifier() = default;

EventInfo EventClassifier::classify(std::string_view event, std::string_view data) {
    EventInfo info;
    const std::string_view text = trim(data);
    if (text.empty() && event != "error") {
        info.kind = EventKind::preamble;
        return info;
    }
    if (text == "[DONE]") {
        info.kind = EventKind::done;
        return info;
    }
    Impl& i = *impl_;
    JsonReader reader(text);
    if (!i.read(reader)) {
        if (event == "error") {
            info.kind = EventKind::error;
            info.error_message = data;
        }
        return info;
    }
    info.kind = i.kind(event);
    info.has_usage = i.has_usage;
    if (i.has_usage) info.usage = i.usage;
    info.responses_api =
        !i.has_choices && (i.sequence_number >= 0 || i.type == "error" || i.type.starts_with("response.") ||
                           event.starts_with("response."));
    info.sequence_number = i.sequence_number;
    info.finish_reason = i.finish_reason.empty() ? i.status : i.finish_reason;
    info.finished = i.finished;
    if (info.kind == EventKind::error) {
        if (!i.has_error && i.type != "error") i.top.type = i.type;
        const ApiError& e = i.has_error ? i.error : i.top;
        info.error_code = !e.code.empty() ? e.code : !e.type.empty() ? e.type : i.top.code;
        info.error_type = e.type;
        info.error_param = e.param;
        info.error_message = e.message;
        info.content_filter = e.content_filter;
    }
    return info;
}

bool EventClassifier::is_keep_alive(const SseEvent& event) noexcept {
    if (!event.has_data) return event.event.empty() && event.raw.find(':') == 0;
    constexpr std::size_t most = 96;
    if (event.data.size() > most) return false;
    constexpr std::array<std::string_view, 5> names{"keepalive", "ping", "keep_alive", "keep-alive",
                                                    "heartbeat"};
    std::string_view name = event.event;
    if (name.empty()) {
        const std::size_t key = find_text(event.data, "\"type\"");
        if (key == std::string_view::npos) return false;
        const std::string_view rest = event.data.substr(key + 6);
        const std::size_t begin = rest.find('"');
        if (begin == std::string_view::npos) return false;
        name = rest.substr(begin + 1, rest.find('"', begin + 1) - begin - 1);
    }
    if (name.starts_with("response.")) name.remove_prefix(9);
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<Usage> usage_at_end(std::string_view tail) {
    constexpr std::string_view key = "\"usage\":";
    const std::size_t at = tail.rfind(key);
    if (at == tail.npos) return std::nullopt;
    JsonReader reader(tail.substr(at + key.size()));
    Usage usage;
    bool found = false;
    if (!read_usage(reader, usage, found) || !found) return std::nullopt;
    return usage;
}

std::string_view to_string(EventKind kind) noexcept {
    switch (kind) {
        case EventKind::preamble:
            return "preamble";
        case EventKind::output:
            return "output";
        case EventKind::usage_only:
            return "usage_only";
        case EventKind::error:
            return "error";
        case EventKind::done:
            return "done";
        case EventKind::terminal:
            return "terminal";
    }
    return "output";
}

}  // namespace spillway::api
