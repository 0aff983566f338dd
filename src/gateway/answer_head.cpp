#include "gateway/answer_head.hpp"

#include <algorithm>
#include <array>

#include "api/hop_by_hop.hpp"
#include "api/rate_limit.hpp"
#include "base/name_set.hpp"
#include "gateway/location.hpp"

namespace spillway::gateway {
namespace {

std::string_view media_type(const http::ResponseHead& head) noexcept {
    const std::string_view type = head.fields.get("content-type");
    return trim(type.substr(0, type.find(';')));
}

/// Fields of a backend's answer that its client does not see: what the gateway writes itself, what would show
/// or set a credential, and, once the client has limits of its own, the backend's quota.
bool is_withheld(std::string_view name, bool own_limits) noexcept {
    static constexpr NameSet kWithheld("content-length", "x-request-id", "set-cookie", "api-key",
                                       "authorization", "x-api-key", "ocp-apim-subscription-key",
                                       "openai-organization", "openai-project", "cookie", "alt-svc",
                                       "strict-transport-security");
    if (kWithheld.has(name)) return true;
    const char first = name.empty() ? '\0' : ascii_lower(name[0]);
    if (first == 'a') return istarts_with(name, "access-control-");
    if (first != 'x') return false;
    return istarts_with(name, "x-spillway-") || (own_limits && api::is_rate_limit_field(name));
}

}  // namespace

bool append_answer_fields(std::string& out, const http::ResponseHead& head, bool own_terms) {
    bool has_locations = false;
    api::append_end_to_end(out, head.fields, [&](std::string_view name) {
        if (!is_location_field(name)) return is_withheld(name, own_terms);
        has_locations = true;
        return true;
    });
    if (const auto theirs = head.fields.get("x-request-id"); !theirs.empty())
        http::append_field(out, "x-spillway-upstream-request-id", theirs);
    return has_locations;
}

bool is_json(const http::ResponseHead& head) noexcept {
    const std::string_view type = media_type(head);
    return iequals(type, "application/json") || type.ends_with("+json");
}

bool is_json_lines(const http::ResponseHead& head) noexcept {
    constexpr std::array<std::string_view, 5> kTypes{"application/x-ndjson", "application/ndjson",
                                                     "application/jsonl", "application/x-jsonlines",
                                                     "application/json-lines"};
    const std::string_view type = media_type(head);
    return std::ranges::any_of(kTypes, [&](std::string_view t) { return iequals(type, t); });
}

bool is_event_stream(const http::ResponseHead& head) noexcept {
    return istarts_with(trim(head.fields.get("content-type")), "text/event-stream");
}

bool begins_event_stream(std::string_view body) noexcept {
    constexpr std::array<std::string_view, 5> kFields{"data:", "event:", ":", "id:", "retry:"};
    body.remove_prefix(std::min(body.size(), body.find_first_not_of("\r\n")));
    return std::ranges::any_of(kFields, [&](std::string_view f) { return body.starts_with(f); });
}

}  // namespace spillway::gateway
