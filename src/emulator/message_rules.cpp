#include "emulator/message_rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace spillway::emulator {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

constexpr std::string_view kRoles = "system assistant user function tool developer";
constexpr std::string_view kParts = "text image_url input_audio refusal audio file";
constexpr std::string_view kInputRoles = "assistant system developer user";
constexpr std::string_view kInputParts =
    "input_text input_image input_audio output_text refusal input_file computer_screenshot summary_text "
    "encrypted_content";
constexpr std::string_view kAskedParts = "input_text input_image input_file scoped_content input_audio";
constexpr std::string_view kAnsweredParts = "output_text refusal";

BodyFault null_content(std::size_t i) {
    return {"Invalid value for 'content': expected a string, got null.",
            fmt::format("messages.[{}].content", i), ""};
}

/// A part of a chat's message.
BodyFault part_fault(const element& part, const std::string& place) {
    if (!part.is_object()) return wrong_type(place, "an object", part);
    if (!has_member(part, "type")) return missing_member(place + ".type");
    const std::string_view type = text_of(part, "type");
    if (!is_among(kParts, type)) return wrong_value(place + ".type", type, kParts);
    element held;
    if (part[type].get(held) != simdjson::SUCCESS)
        return type == "audio" ? BodyFault{} : missing_member(fmt::format("{}.{}", place, type));
    if (type == "text" && !held.is_string()) return wrong_type(place + ".text", "a string", held);
    if (type != "image_url") return {};
    if (!held.is_object()) return wrong_type(place + ".image_url", "an object", held);
    return has_member(held, "url") ? BodyFault{} : missing_member(place + ".image_url.url");
}

BodyFault input_part_fault(const element& part, const std::string& place, bool answered) {
    if (!part.is_object()) return wrong_type(place, "an object", part);
    if (!has_member(part, "type")) return missing_member(place + ".type");
    const std::string_view type = text_of(part, "type");
    if (!is_among(kInputParts, type)) return wrong_value(place + ".type", type, kInputParts);
    const std::string_view kinds = answered ? kAnsweredParts : kAskedParts;
    if (!is_among(kinds, type)) return wrong_value(place, type, kinds);
    const bool says = type == "input_text" || type == "output_text";
    return says && !has_member(part, "text") ? missing_member(place + ".text") : BodyFault{};
}

/// A text, or a list of parts.
template <class PartFault>
BodyFault content_fault(const element& content, const std::string& place, const PartFault& fault_of) {
    if (content.is_string()) return {};
    array parts;
    if (content.get(parts) != simdjson::SUCCESS)
        return wrong_type(place, "one of a string or array of objects", content);
    if (parts.size() == 0) return empty_list(place);
    std::size_t i = 0;
    for (const element part : parts) {
        if (auto no = fault_of(part, fmt::format("{}[{}]", place, i))) return no;
        ++i;
    }
    return {};
}

/// What a message has by itself.
BodyFault single_fault(const element& m, std::size_t i) {
    const std::string place = fmt::format("messages[{}]", i);
    if (!m.is_object()) return wrong_type(place, "an object", m);
    if (!has_member(m, "role")) return missing_member(place + ".role");
    const std::string_view role = text_of(m, "role");
    if (!is_among(kRoles, role)) return wrong_value(place + ".role", role, kRoles);
    if (element content; m["content"].get(content) == simdjson::SUCCESS && !content.is_null())
        return content_fault(content, place + ".content", part_fault);
    const bool says_otherwise =
        role == "assistant" && (has_member(m, "tool_calls") || has_member(m, "audio") ||
                                has_member(m, "function_call") || has_member(m, "refusal"));
    return says_otherwise ? BodyFault{} : null_content(i);
}

BodyFault item_fault(const element& item, const std::string& place) {
    if (!item.is_object()) return wrong_type(place, "an input item", item);
    const std::string_view type = text_of(item, "type");
    const bool refers = !has_member(item, "type") && !has_member(item, "role") && has_member(item, "id");
    if (refers || (has_member(item, "type") && type != "message")) return {};
    const std::string_view role = text_of(item, "role");
    if (!is_among(kInputRoles, role)) return wrong_value(place, role, kInputRoles);
    element content;
    if (item["content"].get(content) != simdjson::SUCCESS || content.is_null())
        return missing_member(place + ".content");
    const auto fault_of = [answered = role == "assistant"](const element& part, const std::string& where) {
        return input_part_fault(part, where, answered);
    };
    return content_fault(content, place + ".content", fault_of);
}

}  // namespace

BodyFault message_fault(const array& messages) {
    std::vector<std::string> open;  // calls that wait for their result
    std::size_t i = 0;
    const auto role_fault = [&](std::string what) {
        return BodyFault{std::move(what), fmt::format("messages.[{}].role", i), ""};
    };
    for (const element m : messages) {
        if (auto no = single_fault(m, i)) return no;
        const std::string_view role = text_of(m, "role");
        if (role == "tool") {
            const auto call = std::find(open.begin(), open.end(), text_of(m, "tool_call_id"));
            if (call == open.end())
                return role_fault(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
                    "message with 'tool_calls'.");
            open.erase(call);
        } else if (!open.empty()) {
            break;
        }
        array calls;
        if (role == "assistant" && m["tool_calls"].get(calls) == simdjson::SUCCESS)
            for (const element call : calls) open.emplace_back(text_of(call, "id"));
        ++i;
    }
    if (open.empty()) return {};
    return role_fault(fmt::format(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
        "'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        fmt::join(open, ", ")));
}

BodyFault input_fault(const array& items, bool continues) {
    std::vector<std::string_view> called;
    std::size_t i = 0;
    for (const element item : items) {
        if (auto no = item_fault(item, fmt::format("input[{}]", i++))) return no;
        const std::string_view type = text_of(item, "type");
        const std::string_view id = text_of(item, "call_id");
        if (type == "function_call") called.push_back(id);
        if (type == "function_call_output" && !continues &&
            std::find(called.begin(), called.end(), id) == called.end())
            return {fmt::format("No tool call found for function call output with call_id {}.", id), "input",
                    ""};
    }
    return {};
}

std::string first_picture(const array& messages) {
    std::size_t i = 0;
    for (const element m : messages) {
        array parts;
        std::size_t j = 0;
        if (m["content"].get(parts) == simdjson::SUCCESS)
            for (const element part : parts) {
                const std::string_view type = text_of(part, "type");
                if (type == "image_url" || type == "input_image")
                    return fmt::format("messages.[{}].content.[{}].type", i, j);
                ++j;
            }
        ++i;
    }
    return {};
}

}  // namespace spillway::emulator
