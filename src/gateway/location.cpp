#include "gateway/location.hpp"

#include <algorithm>

#include "base/name_set.hpp"
#include "base/strings.hpp"

namespace spillway::gateway {
namespace {

/// What comes before the API's own path: of `/base/openai/v1`, `/base`.
std::string_view outer_path(std::string_view base) noexcept {
    for (const std::string_view tail : {"/openai/v1", "/openai", "/v1"})
        if (base.ends_with(tail)) return base.substr(0, base.size() - tail.size());
    return base;
}

/// Takes `http://` or `https://` off `text`, if it begins so.
bool take_scheme(std::string_view& text, bool& tls) noexcept {
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (!istarts_with(text, scheme)) continue;
        text.remove_prefix(scheme.size());
        tls = scheme.size() == 8;
        return true;
    }
    return false;
}

bool is_same_place(std::string_view authority, bool tls, const config::BackendUrl& backend) {
    if (iequals(authority, backend.authority())) return true;
    // The default port may be spelt out, or the scheme be another in front of a proxy.
    config::BackendUrl other = backend;
    other.tls = tls;
    const std::string port = ":" + std::to_string(backend.port);
    if (iequals(authority, other.authority())) return true;
    return authority.ends_with(port) &&
           iequals(authority.substr(0, authority.size() - port.size()), backend.host);
}

bool is_plain_host(std::string_view host) noexcept {
    return !host.empty() && std::ranges::all_of(host, [](char c) {
        const char l = ascii_lower(c);
        return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' ||
               c == '[' || c == ']' || c == '_';
    });
}

}  // namespace

bool is_location_field(std::string_view name) noexcept {
    static constexpr NameSet kNames("location", "content-location", "operation-location",
                                    "azure-asyncoperation");
    return kNames.has(name);
}

std::string own_address(const http::RequestHead& request, bool tls) {
    const std::string_view host = trim(request.fields.get("host"));
    if (!is_plain_host(host)) return {};
    const std::string_view proto = trim(request.fields.get("x-forwarded-proto"));
    if (iequals(proto, "https")) tls = true;
    if (iequals(proto, "http")) tls = false;
    return (tls ? "https://" : "http://") + std::string(host);
}

std::string location_for_client(std::string_view value, const config::BackendUrl& backend,
                                std::string_view own) {
    std::string_view rest = value;
    bool tls = backend.tls;
    const bool absolute = take_scheme(rest, tls);
    if (absolute) {
        const std::size_t path = std::min(rest.find_first_of("/?#"), rest.size());
        if (!is_same_place(rest.substr(0, path), tls, backend)) return std::string(value);
        rest.remove_prefix(path);
    } else if (!rest.starts_with('/') || rest.starts_with("//")) {
        return std::string(value);
    }
    const std::string_view outer = outer_path(backend.base_path);
    if (rest.starts_with(outer) && (rest.size() == outer.size() || rest[outer.size()] == '/'))
        rest.remove_prefix(outer.size());
    std::string out = absolute ? std::string(own) : std::string();
    if (!rest.starts_with('/')) out += '/';
    return out.append(rest);
}

void append_location_fields(std::string& out, const http::ResponseHead& head,
                            const config::BackendUrl& backend, std::string_view own) {
    for (const http::Field& f : head.fields)
        if (is_location_field(f.name))
            http::append_field(out, f.name, location_for_client(f.value, backend, own));
}

}  // namespace spillway::gateway
