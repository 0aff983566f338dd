#include "identity/admin_session.hpp"

#include <simdjson.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "base/wall_time.hpp"

namespace spillway::identity {
namespace {

using simdjson::dom::array;
using simdjson::dom::object;

constexpr std::size_t kLongestName = 120;
/// By which replicas' clocks may differ.
constexpr std::chrono::minutes kLeeway{1};

bool meets(const config::ClaimConditions& wanted, const config::ClaimConditions& held) {
    if (wanted.empty()) return false;
    return std::ranges::all_of(wanted, [&](const auto& condition) {
        const auto found = held.find(condition.first);
        return found != held.end() && std::ranges::any_of(condition.second, [&](const std::string& value) {
                   return std::ranges::find(found->second, value) != found->second.end();
               });
    });
}

std::string text_of(const object& o, std::string_view key) {
    std::string_view out;
    return o.at_key(key).get(out) == simdjson::SUCCESS ? std::string(out) : std::string();
}

config::ClaimConditions read_held(const object& o) {
    config::ClaimConditions out;
    object claims;
    if (o.at_key("held").get(claims) != simdjson::SUCCESS) return out;
    for (const auto& [claim, value] : claims) {
        array values;
        if (value.get(values) != simdjson::SUCCESS) continue;
        for (const auto& one : values)
            if (std::string_view text; one.get(text) == simdjson::SUCCESS)
                out[std::string(claim)].emplace_back(text);
    }
    return out;
}

/// All conditions of all roles together.
config::ClaimConditions asked_by(const config::AdminRolesConfig& roles) {
    config::ClaimConditions out;
    for (const auto* conditions : {&roles.viewer, &roles.operate, &roles.manage})
        for (const auto& [claim, values] : *conditions)
            for (const std::string& value : values)
                if (auto& all = out[claim]; std::ranges::find(all, value) == all.end()) all.push_back(value);
    return out;
}

}  // namespace

Person person_of(const ParsedToken& token, const config::AdminRolesConfig& roles, Wall now) {
    Person out{token.claim("sub"), {}, token.held(asked_by(roles)), now};
    for (const char* claim : {"preferred_username", "email", "name", "sub"}) {
        out.name = token.claim(claim);
        if (!out.name.empty()) break;
    }
    return out;
}

std::string write_session(const Person& person) {
    JsonWriter json;
    json.open().field("sub", person.subject).field("name", person.name);
    json.field("begun", std::chrono::floor<std::chrono::seconds>(person.begun).time_since_epoch().count());
    json.key("held").open();
    for (const auto& [claim, values] : person.held) {
        json.key(claim).open_list();
        for (const std::string& value : values) json.text(value);
        json.close_list();
    }
    return json.close().close().take();
}

std::optional<Person> read_session(std::string_view text, Duration life, Wall now) {
    simdjson::dom::parser parser;
    object o;
    std::int64_t begun = 0;
    if (parser.parse(simdjson::padded_string(text)).get(o) != simdjson::SUCCESS ||
        o.at_key("begun").get(begun) != simdjson::SUCCESS)
        return std::nullopt;
    Person out{text_of(o, "sub"), text_of(o, "name"), read_held(o), wall_at(begun)};
    if (out.subject.empty() || now >= out.begun + life || now + kLeeway < out.begun) return std::nullopt;
    return out;
}

std::optional<config::AdminRole> role_of(const config::AdminRolesConfig& roles,
                                         const config::ClaimConditions& held) {
    if (meets(roles.manage, held)) return config::AdminRole::manage;
    if (meets(roles.operate, held)) return config::AdminRole::operate;
    if (meets(roles.viewer, held)) return config::AdminRole::viewer;
    return std::nullopt;
}

std::string audit_name(const Person& person) {
    std::string out = "oidc:";
    append_utf8(out, std::string_view(person.name).substr(0, kLongestName));
    std::ranges::replace_if(
        out, [](unsigned char c) { return c <= ' ' || c == '\x7f'; }, '_');
    return out;
}

}  // namespace spillway::identity
