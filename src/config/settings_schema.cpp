// The table of settings as a JSON Schema, draft 2020-12, with what editors show beside a key.
#include <fmt/format.h>

#include "config/settings.hpp"

namespace spillway::config {
namespace {

Value list_of(std::initializer_list<std::string_view> texts) {
    Value out = Value::list();
    for (const auto text : texts) out.add({}, Value::json_text(text));
    return out;
}

/// A text, or a number where YAML takes it for one.
void add_text(Value& out, std::string_view pattern) {
    out.add("type", list_of({"string", "number"}));
    if (!pattern.empty()) out.add("pattern", Value::json_text(pattern));
}

void add_range(Value& out, const SettingInfo& info) {
    if (!info.minimum.empty()) out.add("minimum", Value::scalar(info.minimum));
    if (!info.maximum.empty()) out.add("maximum", Value::scalar(info.maximum));
}

std::string description(const SettingInfo& info) {
    auto out = info.help;
    if (!info.default_words.empty()) out += fmt::format(" (default: {})", info.default_words);
    if (info.kind == SettingKind::duration || info.kind == SettingKind::size)
        out += fmt::format(" ({} to {})", info.minimum, info.maximum);
    if (info.apply == Apply::restart) out += " (needs a restart)";
    return out;
}

void add_default(Value& out, const SettingInfo& info) {
    if (info.default_value.empty()) return;
    const bool bare = info.kind == SettingKind::boolean || info.kind == SettingKind::whole ||
                      info.kind == SettingKind::number || info.default_value.starts_with('"');
    out.add("default", bare ? Value::scalar(info.default_value) : Value::json_text(info.default_value));
}

Value schema_of(const SettingInfo& info);

void add_section(Value& out, const std::vector<SettingInfo>& children) {
    out.add("type", list_of({"object", "null"}));
    Value properties = Value::map();
    Value required = Value::list();
    for (const auto& child : children) {
        properties.add(child.key, schema_of(child));
        if (child.needed) required.add({}, Value::json_text(child.key));
        if (child.kind != SettingKind::secret) continue;
        for (const auto& [tail, help] : {std::pair("_env", "name of the environment variable that holds it"),
                                         std::pair("_file", "path of the file that holds it")}) {
            Value other = Value::map();
            other.add("type", Value::json_text("string"));
            other.add("description", Value::json_text(fmt::format("{}: {}", child.key, help)));
            properties.add(child.key + tail, std::move(other));
        }
    }
    out.add("properties", std::move(properties));
    if (!required.entries.empty()) out.add("required", std::move(required));
    out.add("additionalProperties", Value::scalar("false"));
}

Value items_of(const SettingInfo& info) {
    Value items = Value::map();
    if (!info.children.empty()) add_section(items, info.children);
    return items;
}

void add_list(Value& out, const SettingInfo& info) {
    Value list = Value::map();
    list.add("type", list_of({"array", "null"}));
    list.add("items", items_of(info));
    if (info.default_value.empty()) {
        for (auto& entry : list.entries) out.add(entry.key, std::move(entry.value));
        return;
    }
    Value number = Value::map();  // `resources: 3`
    number.add("type", Value::json_text("integer"));
    Value either = Value::list();
    either.add({}, std::move(number));
    either.add({}, std::move(list));
    out.add("anyOf", std::move(either));
}

Value word_or_section(const SettingInfo& info) {
    Value words = Value::list();
    for (const auto& choice : info.choices) words.add({}, Value::json_text(choice));
    Value word = Value::map();
    word.add("enum", std::move(words));
    Value section = Value::map();
    add_section(section, info.children);
    Value either = Value::list();
    either.add({}, std::move(word));
    either.add({}, std::move(section));
    return either;
}

Value text_or_list() {
    Value text = Value::map();
    add_text(text, {});
    Value list = Value::map();
    list.add("type", Value::json_text("array"));
    list.add("items", text);
    Value either = Value::list();
    either.add({}, std::move(text));
    either.add({}, std::move(list));
    return either;
}

Value schema_of(const SettingInfo& info) {
    Value out = Value::map();
    if (const auto text = description(info); !text.empty()) out.add("description", Value::json_text(text));
    switch (info.kind) {
        case SettingKind::boolean: {
            Value values = list_of({"yes", "no", "on", "off"});
            values.add({}, Value::scalar("true"));
            values.add({}, Value::scalar("false"));
            out.add("enum", std::move(values));
            break;
        }
        case SettingKind::whole:
            out.add("type", Value::json_text("integer"));
            add_range(out, info);
            break;
        case SettingKind::number:
            out.add("type", Value::json_text("number"));
            add_range(out, info);
            break;
        case SettingKind::duration:
            add_text(out, R"(^[0-9]+(\.[0-9]+)?\s*(us|ms|s|m|h|d)?$)");
            break;
        case SettingKind::size:
            add_text(out, R"(^[0-9]+\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)?$)");
            break;
        case SettingKind::text:
            add_text(out, {});
            break;
        case SettingKind::secret:
            add_text(out, {});
            break;
        case SettingKind::choice: {
            Value values = Value::list();
            for (const auto& choice : info.choices) values.add({}, Value::json_text(choice));
            out.add("enum", std::move(values));
            break;
        }
        case SettingKind::section:
            if (info.choices.empty())
                add_section(out, info.children);
            else
                out.add("anyOf", word_or_section(info));
            break;
        case SettingKind::list:
            add_list(out, info);
            break;
        case SettingKind::map: {
            out.add("type", list_of({"object", "null"}));
            Value each = Value::map();
            if (info.lists)
                each.add("anyOf", text_or_list());
            else if (info.children.empty())
                add_text(each, {});
            else
                add_section(each, info.children);
            out.add("additionalProperties", std::move(each));
            break;
        }
    }
    add_default(out, info);
    return out;
}

std::string schema(std::string_view title, const std::vector<SettingInfo>& settings) {
    Value out = Value::map();
    out.add("$schema", Value::json_text("https://json-schema.org/draft/2020-12/schema"));
    out.add("title", Value::json_text(title));
    add_section(out, settings);
    return to_json(out);
}

}  // namespace

std::string gateway_schema() {
    return schema("Spillway's gateway", gateway_fields().infos());
}

std::string emulator_schema() {
    return schema("Spillway's emulator", emulator_settings());
}

}  // namespace spillway::config
