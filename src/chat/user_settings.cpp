#include "chat/user_settings.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.hpp"
#include "base/utf8.hpp"

namespace spillway::chat {
namespace {

constexpr std::size_t longest_system_prompt = 8000;

Result<void> read_integer(simdjson::dom::object object, const char* name, std::int64_t low, std::int64_t high,
                          std::int64_t& out) {
    simdjson::dom::element element;
    if (object[name].get(element) != simdjson::SUCCESS) return {};
    std::int64_t value = 0;
    if (element.get(value) != simdjson::SUCCESS || value < low || value > high)
        return fail(fmt::format("{} must be a whole number from {} to {}", name, low, high));
    out = value;
    return {};
}

Result<void> read_boolean(simdjson::dom::object object, const char* name, bool& out) {
    simdjson::dom::element element;
    if (object[name].get(element) != simdjson::SUCCESS) return {};
    if (element.get(out) != simdjson::SUCCESS) return fail(fmt::format("{} must be true or false", name));
    return {};
}

Result<void> read_system_prompt(simdjson::dom::object object, std::string& out) {
    simdjson::dom::element element;
    if (object["system_prompt"].get(element) != simdjson::SUCCESS) return {};
    std::string_view text;
    if (element.get(text) != simdjson::SUCCESS) return fail("system_prompt must be a text");
    if (count_characters(text) > longest_system_prompt)
        return fail(fmt::format("system_prompt has more than {} characters", longest_system_prompt));
    out = text;
    return {};
}

Result<void> read_temperature(simdjson::dom::object object, std::optional<double>& out) {
    simdjson::dom::element element;
    if (object["temperature"].get(element) != simdjson::SUCCESS) return {};
    if (element.is_null()) {
        out.reset();
        return {};
    }
    double value = 0;
    if (element.get(value) != simdjson::SUCCESS || !(value >= 0 && value <= 2))
        return fail("temperature must be a number from 0 to 2, or null");
    out = value;
    return {};
}

}  // namespace

Result<UserSettings> read_user_settings(std::string_view json, const UserSettings& base) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS)
        return fail("settings must be a JSON object");
    UserSettings out = base;
    Result<void> done = read_system_prompt(object, out.system_prompt);
    if (done) done = read_temperature(object, out.temperature);
    if (done) done = read_integer(object, "max_tokens", 0, 100000, out.max_tokens);
    if (done) done = read_integer(object, "sources", 1, 12, out.sources);
    if (done) done = read_boolean(object, "follow_ups", out.follow_ups);
    if (done) done = read_boolean(object, "show_backend", out.show_backend);
    if (!done) return done.error();
    return out;
}

std::string to_json(const UserSettings& s) {
    JsonWriter w;
    w.open().field("system_prompt", s.system_prompt).key("temperature");
    if (s.temperature)
        w.number(*s.temperature);
    else
        w.null();
    w.field("max_tokens", s.max_tokens).field("sources", s.sources);
    w.field("follow_ups", s.follow_ups).field("show_backend", s.show_backend).close();
    return w.take();
}

}  // namespace spillway::chat
