#include "http/same_origin.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace spillway::http {
namespace {

bool known_host(std::string_view authority, std::span<const std::string> hosts) noexcept {
    if (hosts.empty()) return true;
    const std::string_view name = host_name(authority);
    return std::ranges::any_of(hosts, [&](const std::string& h) { return iequals(h, name); });
}

/// "http://host:port" without the scheme.
std::string_view origin_authority(std::string_view origin) noexcept {
    const auto at = origin.find("://");
    return at == std::string_view::npos ? std::string_view{} : origin.substr(at + 3);
}

/// A browser that says where a request comes from is believed: no page can set Sec-Fetch-Site. Without it
/// (plain http beyond loopback) the Origin must be the host that was asked: the one the browser named, which
/// a proxy in front tells as X-Forwarded-Host. nginx replaces Host unless told otherwise, and tells nothing;
/// so the own pages add a field of their own, which a page of another origin cannot do without asking for
/// permission first (Fetch, CORS preflight), which is never given.
bool from_own_page(const RequestHead& request, std::string_view host) noexcept {
    const std::string_view site = request.fields.get("sec-fetch-site");
    if (site.data() != nullptr) return site == "same-origin";
    if (request.fields.get("x-spillway-page").data() != nullptr) return true;
    const std::string_view origin = request.fields.get("origin");
    if (origin.data() == nullptr) return true;
    const std::string_view asked = origin_authority(origin);  // empty for "null"
    return !asked.empty() && (iequals(asked, host) || iequals(asked, request.fields.get("x-forwarded-host")));
}

}  // namespace

std::string_view host_name(std::string_view authority) noexcept {
    if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
    return authority.substr(0, authority.find(':'));
}

Verdict judge(const RequestHead& request, std::span<const std::string> hosts, bool has_body) noexcept {
    const std::string_view host = request.fields.get("host");
    if (!known_host(host, hosts)) return Verdict::foreign_host;
    if (request.method == "GET" || request.method == "HEAD") return Verdict::good;
    if (!from_own_page(request, host)) return Verdict::foreign_origin;
    const std::string_view type = request.fields.get("content-type");
    const bool good_type =
        istarts_with(type, "application/json") || istarts_with(type, "application/octet-stream");
    // A POST without a body could come from a form as well.
    if (!good_type && (has_body || request.method == "POST")) return Verdict::wrong_type;
    return Verdict::good;
}

bool is_of_origin(const RequestHead& request, std::string_view origin) noexcept {
    const std::string_view site = request.fields.get("sec-fetch-site");
    if (site.data() != nullptr) return site == "same-origin";
    return !origin.empty() && iequals(request.fields.get("origin"), origin);
}

std::vector<std::string> own_hosts(std::string_view listen_host) {
    if (listen_host == "localhost" || listen_host == "::1" || listen_host.starts_with("127."))
        return {"localhost", "127.0.0.1", "[::1]"};
    return {};
}

}  // namespace spillway::http
