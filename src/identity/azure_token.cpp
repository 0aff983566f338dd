#include "identity/azure_token.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/strings.hpp"
#include "identity/upstream_auth.hpp"

namespace spillway::identity {
namespace {

using std::chrono::seconds;

/// Refresh this long before the end, as the Azure SDKs do.
constexpr seconds kRefreshAhead{300};
/// Longer lives are renewed at half: the identity endpoints may be down for hours.
constexpr seconds kLongLife{7200};
/// Year 2200; keeps nanoseconds within range.
constexpr double kLatest = 7.258e9;

/// RFC 3986 unreserved characters stand, all else is percent-encoded.
void append_encoded(std::string& out, std::string_view s) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (const char c : s) {
        const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                c == '-' || c == '.' || c == '_' || c == '~';
        if (unreserved) {
            out += c;
            continue;
        }
        const auto u = static_cast<unsigned char>(c);
        out += '%';
        out += kHex[u >> 4U];
        out += kHex[u & 0xfU];
    }
}

void append_parameter(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += '=';
    append_encoded(out, value);
}

std::string identity_url(std::string_view base, std::string_view version, std::string_view resource,
                         std::string_view client_id) {
    std::string url(base);
    url += base.find('?') == std::string_view::npos ? '?' : '&';
    append_parameter(url, "api-version", version);
    append_parameter(url, "&resource", resource);
    if (!client_id.empty()) append_parameter(url, "&client_id", client_id);
    return url;
}

TokenRequest form(std::string url, std::string body) {
    return {"POST",
            std::move(url),
            {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}},
            std::move(body)};
}

std::string client_credentials(std::string_view client_id, std::string_view scope) {
    std::string body = "grant_type=client_credentials";
    append_parameter(body, "&client_id", client_id);
    if (!scope.empty()) append_parameter(body, "&scope", scope);
    return body;
}

/// What a source says is shown to operators: short, on one line.
std::string plain(std::string_view text) {
    constexpr std::size_t kMost = 300;
    std::string out;
    for (const char c : text.substr(0, kMost)) {
        const bool visible = c >= ' ' && c < '\x7f';
        if (visible) out += c;
        if (!visible && !out.ends_with(' ')) out += ' ';
    }
    return std::string(trim(out));
}

/// A number, or a string that spells one.
std::optional<double> number(const simdjson::dom::object& object, const char* key) {
    const auto field = object[key];
    std::optional<double> value;
    if (double d = 0; field.get_double().get(d) == simdjson::SUCCESS)
        value = d;
    else if (std::string_view s; field.get_string().get(s) == simdjson::SUCCESS)
        value = parse_double(s);
    if (!value || !(*value >= 0)) return std::nullopt;
    return std::min(*value, kLatest);
}

std::string_view string(const simdjson::dom::object& object, const char* key) {
    std::string_view s;
    return object[key].get_string().get(s) == simdjson::SUCCESS ? s : std::string_view{};
}

Wall at_seconds(double unix_seconds) {
    return Wall(seconds(static_cast<std::int64_t>(unix_seconds)));
}

Wall refresh_time(Wall now, Wall expires, std::optional<double> refresh_in) {
    const Duration life = expires - now;
    if (refresh_in && from_seconds(*refresh_in) < life) return now + from_seconds(*refresh_in);
    if (life >= kLongLife || life < 2 * kRefreshAhead) return now + life / 2;
    return expires - kRefreshAhead;
}

}  // namespace

std::string_view resource_of(std::string_view scope) noexcept {
    constexpr std::string_view suffix = "/.default";
    if (scope.ends_with(suffix)) scope.remove_suffix(suffix.size());
    return scope;
}

TokenRequest imds_token_request(std::string_view host, std::string_view resource,
                                std::string_view client_id) {
    const std::string base = std::string(host) + "/metadata/identity/oauth2/token";
    return {"GET", identity_url(base, "2018-02-01", resource, client_id), {{"Metadata", "true"}}, {}};
}

TokenRequest app_service_token_request(std::string_view endpoint, std::string_view header,
                                       std::string_view resource, std::string_view client_id) {
    return {"GET",
            identity_url(endpoint, "2019-08-01", resource, client_id),
            {{"X-IDENTITY-HEADER", std::string(header)}},
            {}};
}

std::string entra_token_url(std::string_view authority, std::string_view tenant) {
    while (authority.ends_with('/')) authority.remove_suffix(1);
    std::string url(authority);
    url += '/';
    append_encoded(url, tenant);
    return url + "/oauth2/v2.0/token";
}

TokenRequest secret_token_request(std::string url, std::string_view client_id, std::string_view secret,
                                  std::string_view scope) {
    std::string body = client_credentials(client_id, scope);
    append_parameter(body, "&client_secret", secret);
    return form(std::move(url), std::move(body));
}

TokenRequest assertion_token_request(std::string url, std::string_view client_id, std::string_view assertion,
                                     std::string_view scope) {
    std::string body = client_credentials(client_id, scope);
    append_parameter(body, "&client_assertion_type",
                     "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    append_parameter(body, "&client_assertion", trim(assertion));
    return form(std::move(url), std::move(body));
}

Result<Token> parse_token_answer(std::string_view body, Wall now) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(simdjson::padded_string(body)).get_object().get(object) != simdjson::SUCCESS)
        return fail("token answer is not a JSON object");
    std::string_view value = string(object, "access_token");
    if (value.empty()) value = string(object, "accessToken");  // az
    if (value.empty()) {
        const std::string_view error = string(object, "error");
        if (error.empty()) return fail("token answer has no access_token");
        return fail(
            fmt::format("no token: {}: {}", plain(error), plain(string(object, "error_description"))));
    }
    if (!is_credential_text(value)) return fail("token answer's access_token is not visible ASCII");
    const auto expires_in = number(object, "expires_in");
    const auto expires_on = number(object, "expires_on");
    if (!expires_in && !expires_on) return fail("token answer has neither expires_in nor expires_on");
    Token token{std::string(value), at_seconds(kLatest), {}};
    if (expires_in && *expires_in < kLatest - to_seconds(now.time_since_epoch()))
        token.expires = now + from_seconds(*expires_in);
    if (expires_on) token.expires = std::min(token.expires, at_seconds(*expires_on));
    if (token.expires <= now) return fail("token answer has expired already");
    token.refresh_at = refresh_time(now, token.expires, number(object, "refresh_in"));
    return token;
}

}  // namespace spillway::identity
