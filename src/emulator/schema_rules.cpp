#include "emulator/schema_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace spillway::emulator {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::size_t kMostTools = 128;
constexpr std::size_t kDeepest = 64;

/// Whether the schema is, or may be, of an object.
bool takes_objects(const element& schema) {
    element type;
    if (schema["type"].get(type) != simdjson::SUCCESS) return has_member(schema, "properties");
    array types;
    if (type.get(types) != simdjson::SUCCESS) return text_of(schema, "type") == "object";
    return std::any_of(types.begin(), types.end(), [](const element& t) {
        std::string_view name;
        return t.get(name) == simdjson::SUCCESS && name == "object";
    });
}

/// "('properties', 'x')", as Azure writes where in a schema something is wrong.
std::string context_of(const std::vector<std::string>& path) {
    std::string out = "(";
    for (const std::string& step : path) out += fmt::format("{}'{}'", out.size() > 1 ? ", " : "", step);
    return out + (path.size() == 1 ? ",)" : ")");
}

/// Goes through a schema that shall be kept to strictly: no object has members but those it names, and all of
/// these are required.
class StrictSchema {
public:
    /// What is wrong, after "In context="; empty: nothing.
    std::string fault(const element& schema) {
        if (!schema.is_object() || path_.size() > kDeepest) return {};
        if (takes_objects(schema))
            if (std::string no = object_fault(schema); !no.empty()) return no;
        for (const std::string_view key : {"properties", "$defs", "definitions"})
            if (object named; schema[key].get(named) == simdjson::SUCCESS)
                for (const auto field : named)
                    if (std::string no = below(key, field.key, field.value); !no.empty()) return no;
        if (element items; schema["items"].get(items) == simdjson::SUCCESS)
            if (std::string no = below("items", {}, items); !no.empty()) return no;
        if (array choices; schema["anyOf"].get(choices) == simdjson::SUCCESS) {
            std::size_t i = 0;
            for (const element choice : choices)
                if (std::string no = below("anyOf", fmt::to_string(i++), choice); !no.empty()) return no;
        }
        return {};
    }

private:
    std::string below(std::string_view key, std::string_view name, const element& schema) {
        const std::size_t depth = path_.size();
        path_.emplace_back(key);
        if (!name.empty()) path_.emplace_back(name);
        std::string no = fault(schema);
        path_.resize(depth);
        return no;
    }

    std::string object_fault(const element& schema) const {
        bool more = true;
        if (schema["additionalProperties"].get(more) != simdjson::SUCCESS || more)
            return context_of(path_) + ", 'additionalProperties' is required to be supplied and to be false.";
        object properties;
        if (schema["properties"].get(properties) != simdjson::SUCCESS) return {};
        array required;
        const bool given = schema["required"].get(required) == simdjson::SUCCESS;
        for (const auto field : properties) {
            const bool named = given && std::any_of(required.begin(), required.end(), [&](const element& e) {
                                   std::string_view name;
                                   return e.get(name) == simdjson::SUCCESS && name == field.key;
                               });
            if (!named)
                return context_of(path_) +
                       fmt::format(
                           ", 'required' is required to be supplied and to be an array including "
                           "every key in properties. Missing '{}'.",
                           field.key);
        }
        return {};
    }

    std::vector<std::string> path_;
};

bool is_strict(const element& holder) {
    bool strict = false;
    return holder["strict"].get(strict) == simdjson::SUCCESS && strict;
}

/// A function's name and schema; `place`: "tools[0].function".
BodyFault function_fault(const element& function, const std::string& place) {
    if (!function.is_object()) return wrong_type(place, "an object", function);
    element name;
    if (function["name"].get(name) != simdjson::SUCCESS || name.is_null())
        return missing_member(place + ".name");
    if (!name.is_string()) return wrong_type(place + ".name", "a string", name);
    const std::string_view said = text_of(function, "name");
    if (auto no = name_fault(place + ".name", said)) return no;
    element schema;
    if (function["parameters"].get(schema) != simdjson::SUCCESS || schema.is_null()) return {};
    if (!schema.is_object()) return wrong_type(place + ".parameters", "an object", schema);
    if (!is_strict(function)) return {};
    const std::string no = StrictSchema().fault(schema);
    if (no.empty()) return {};
    return {fmt::format("Invalid schema for function '{}': In context={}", said, no), place + ".parameters",
            "invalid_function_parameters"};
}

BodyFault tool_fault(Operation operation, const element& tool, const std::string& place) {
    if (!has_member(tool, "type")) return missing_member(place + ".type");
    const std::string_view type = text_of(tool, "type");
    if (operation == Operation::responses)
        return type == "function" ? function_fault(tool, place) : BodyFault{};
    constexpr std::string_view types = "function custom";
    if (!is_among(types, type)) return wrong_value(place + ".type", type, types);
    element inner;
    if (tool[type].get(inner) != simdjson::SUCCESS || inner.is_null())
        return missing_member(fmt::format("{}.{}", place, type));
    return function_fault(inner, fmt::format("{}.{}", place, type));
}

bool is_a_tool(const array& tools, std::string_view type, std::string_view name) {
    return std::any_of(tools.begin(), tools.end(), [&](const element& tool) {
        element inner = tool;
        if (element held; tool[type].get(held) == simdjson::SUCCESS) inner = held;
        return text_of(tool, "type") == type && text_of(inner, "name") == name;
    });
}

/// A choice of one tool by its name.
BodyFault choice_fault(Operation operation, const element& choice, const array& tools) {
    const std::string_view type = text_of(choice, "type");
    const bool responds = operation == Operation::responses;
    if (responds && type != "function" && type != "custom") return {};
    if (!responds && type == "allowed_tools") return {};
    element inner = choice;
    std::string place = "tool_choice";
    if (!responds) {
        const std::string_view key = type == "custom" ? "custom" : "function";
        place += fmt::format(".{}", key);
        if (choice[key].get(inner) != simdjson::SUCCESS || !inner.is_object()) return missing_member(place);
    }
    if (!has_member(inner, "name")) return missing_member(place + ".name");
    const std::string_view name = text_of(inner, "name");
    if (is_a_tool(tools, type, name)) return {};
    if (responds)
        return {fmt::format("Tool choice '{}' not found in 'tools' parameter.", name), "tool_choice", ""};
    return {fmt::format("Invalid value for 'tool_choice': no function named '{}' was specified in the "
                        "'tools' parameter.",
                        name),
            "tool_choice", ""};
}

BodyFault functions_fault(const array& functions) {
    std::size_t i = 0;
    if (functions.size() == 0) return empty_list("functions");
    if (functions.size() > kMostTools) return long_list("functions", kMostTools, functions.size());
    for (const element function : functions)
        if (auto no = function_fault(function, fmt::format("functions[{}]", i++))) return no;
    return {};
}

/// A form by a schema: its name, the schema, and whether that can be kept to.
BodyFault schema_form_fault(const element& form, const std::string& place, bool responds) {
    element name;
    if (form["name"].get(name) != simdjson::SUCCESS || name.is_null()) return missing_member(place + ".name");
    if (!name.is_string()) return wrong_type(place + ".name", "a string", name);
    const std::string_view said = text_of(form, "name");
    if (auto no = name_fault(place + ".name", said)) return no;
    element schema;
    if (form["schema"].get(schema) != simdjson::SUCCESS || schema.is_null())
        return missing_member(place + ".schema");
    if (!schema.is_object()) return wrong_type(place + ".schema", "an object", schema);
    if (!is_strict(form)) return {};
    const std::string no = StrictSchema().fault(schema);
    if (no.empty()) return {};
    return {fmt::format("Invalid schema for response_format '{}': In context={}", said, no),
            responds ? place + ".schema" : "response_format", responds ? "invalid_json_schema" : ""};
}

}  // namespace

BodyFault tools_fault(Operation operation, const element& body) {
    array tools;
    const bool given = body["tools"].get(tools) == simdjson::SUCCESS;
    if (given && tools.size() > kMostTools) return long_list("tools", kMostTools, tools.size());
    std::size_t i = 0;
    if (given)
        for (const element tool : tools)
            if (auto no = tool_fault(operation, tool, fmt::format("tools[{}]", i++))) return no;
    array functions;
    if (body["functions"].get(functions) == simdjson::SUCCESS)
        if (auto no = functions_fault(functions)) return no;
    element choice;
    if (body["tool_choice"].get(choice) != simdjson::SUCCESS || !choice.is_object()) return {};
    return given ? choice_fault(operation, choice, tools) : BodyFault{};
}

BodyFault format_fault(Operation operation, const element& body) {
    const bool responds = operation == Operation::responses;
    std::string place = "response_format";
    element form;
    if (responds) {
        place = "text.format";
        element outer;
        if (body["text"].get(outer) != simdjson::SUCCESS || outer["format"].get(form) != simdjson::SUCCESS)
            return {};
    } else if (body["response_format"].get(form) != simdjson::SUCCESS) {
        return {};
    }
    if (form.is_null()) return {};
    if (!form.is_object()) return wrong_type(place, "an object", form);
    if (!has_member(form, "type")) return missing_member(place + ".type");
    const std::string_view type = text_of(form, "type");
    const std::string_view types = responds ? "json_object text json_schema" : "json_object json_schema text";
    if (!is_among(types, type)) return wrong_value(place + ".type", type, types);
    if (type != "json_schema") return {};
    if (responds) return schema_form_fault(form, place, true);
    place += ".json_schema";
    element inner;
    if (form["json_schema"].get(inner) != simdjson::SUCCESS || inner.is_null()) return missing_member(place);
    if (!inner.is_object()) return wrong_type(place, "an object", inner);
    return schema_form_fault(inner, place, false);
}

}  // namespace spillway::emulator
