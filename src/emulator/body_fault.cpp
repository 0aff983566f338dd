#include "emulator/body_fault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace spillway::emulator {
namespace {

std::string_view kind_of(const simdjson::dom::element& value) noexcept {
    using simdjson::dom::element_type;
    switch (value.type()) {
        case element_type::STRING:
            return "a string";
        case element_type::BOOL:
            return "a boolean";
        case element_type::INT64:
        case element_type::UINT64:
            return "an integer";
        case element_type::DOUBLE:
            return "a decimal number";
        case element_type::OBJECT:
            return "an object";
        case element_type::ARRAY:
            return "an array";
        default:
            return "null";
    }
}

std::vector<std::string_view> names_in(std::string_view names) {
    std::vector<std::string_view> out;
    while (!names.empty()) {
        const std::size_t end = std::min(names.find(' '), names.size());
        out.push_back(names.substr(0, end));
        names.remove_prefix(std::min(end + 1, names.size()));
    }
    return out;
}

}  // namespace

BodyFault wrong_type(std::string_view place, std::string_view expected, const simdjson::dom::element& got) {
    return {
        fmt::format("Invalid type for '{}': expected {}, but got {} instead.", place, expected, kind_of(got)),
        std::string(place), "invalid_type"};
}

BodyFault missing_member(std::string_view place) {
    return {fmt::format("Missing required parameter: '{}'.", place), std::string(place),
            "missing_required_parameter"};
}

BodyFault wrong_value(std::string_view place, std::string_view got, std::string_view supported) {
    return {fmt::format("Invalid value: '{}'. Supported values are: {}.", got, quoted_names(supported)),
            std::string(place), "invalid_value"};
}

BodyFault beyond_bound(std::string_view place, std::string_view kind, bool small, std::string_view bound,
                       std::string_view got) {
    return {fmt::format("Invalid '{}': {} {} value. Expected a value {} {}, but got {} instead.", place, kind,
                        small ? "below minimum" : "above maximum", small ? ">=" : "<=", bound, got),
            std::string(place), fmt::format("{}_{}_value", kind, small ? "below_min" : "above_max")};
}

BodyFault empty_list(std::string_view place) {
    return {fmt::format("Invalid '{}': empty array. Expected an array with minimum length 1, but got an "
                        "empty array instead.",
                        place),
            std::string(place), "empty_array"};
}

BodyFault long_list(std::string_view place, std::size_t most, std::size_t got) {
    return {fmt::format("Invalid '{}': array too long. Expected an array with maximum length {}, but got "
                        "an array with length {} instead.",
                        place, most, got),
            std::string(place), "array_above_max_length"};
}

BodyFault name_fault(std::string_view place, std::string_view name) {
    constexpr std::size_t longest = 64;
    if (name.empty())
        return {fmt::format("Invalid '{}': empty string. Expected a string with minimum length 1, but got "
                            "an empty string instead.",
                            place),
                std::string(place), "empty_string"};
    if (name.size() > longest)
        return {fmt::format("Invalid '{}': string too long. Expected a string with maximum length {}, but "
                            "got a string with length {} instead.",
                            place, longest, name.size()),
                std::string(place), "string_above_max_length"};
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    });
    if (plain) return {};
    return {fmt::format("Invalid '{}': string does not match pattern. Expected a string that matches the "
                        "pattern '^[a-zA-Z0-9_-]+$'.",
                        place),
            std::string(place), "invalid_value"};
}

bool is_among(std::string_view names, std::string_view name) noexcept {
    for (std::size_t at = 0; !name.empty() && (at = names.find(name, at)) != std::string_view::npos;
         at += name.size()) {
        const std::size_t end = at + name.size();
        if ((at == 0 || names[at - 1] == ' ') && (end == names.size() || names[end] == ' ')) return true;
    }
    return false;
}

std::string quoted_names(std::string_view names, std::string_view last) {
    const std::vector<std::string_view> list = names_in(names);
    std::string out;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (i > 0) out += list.size() > 2 ? ", " : " ";
        if (i > 0 && i + 1 == list.size()) out += fmt::format("{} ", last);
        out += fmt::format("'{}'", list[i]);
    }
    return out;
}

std::string_view text_of(const simdjson::dom::element& holder, std::string_view key) noexcept {
    std::string_view out;
    if (holder[key].get(out) != simdjson::SUCCESS) return {};
    return out;
}

bool has_member(const simdjson::dom::element& holder, std::string_view key) noexcept {
    simdjson::dom::element value;
    return holder[key].get(value) == simdjson::SUCCESS && !value.is_null();
}

}  // namespace spillway::emulator
