#include "config/egress_proxy.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/hex.hpp"
#include "base/ip.hpp"
#include "base/strings.hpp"
#include "config/listen.hpp"

namespace spillway::config {
namespace urls = boost::urls;
namespace {

constexpr std::string_view expected = "expected a proxy's URL like http://proxy.example:3128";

std::string lowered_host(std::string_view host) {
    std::string out(host);
    std::transform(out.begin(), out.end(), out.begin(), ascii_lower);
    return out;
}

/// `host`, `host:port`, `[v6]:port`; a bare IPv6 address has no port.
std::pair<std::string_view, std::optional<std::uint16_t>> split_port(std::string_view text) {
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return {text, std::nullopt};
        const std::string_view rest = text.substr(end + 1);
        const auto port = rest.starts_with(':') ? parse_int<std::uint16_t>(rest.substr(1)) : std::nullopt;
        return {text.substr(1, end - 1), port};
    }
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos)
        return {text, std::nullopt};
    return {text.substr(0, colon), parse_int<std::uint16_t>(text.substr(colon + 1))};
}

bool names(std::string_view entry, std::string_view host, std::uint16_t port) {
    if (entry == "*") return true;
    if (const auto network = IpNetwork::parse(entry); network && entry.find('/') != entry.npos) {
        const auto address = IpAddress::parse(host);
        return address && network->contains(*address);
    }
    auto [name, only_port] = split_port(entry);
    if (only_port && *only_port != port) return false;
    if (name.starts_with("*.")) name.remove_prefix(1);
    if (name.empty()) return false;
    if (const auto a = IpAddress::parse(name)) {
        const auto b = IpAddress::parse(host);
        return b && a->bytes() == b->bytes();
    }
    if (name.starts_with('.'))
        return host.size() > name.size() && iequals(host.substr(host.size() - name.size()), name);
    if (iequals(host, name)) return true;
    return host.size() > name.size() && host[host.size() - name.size() - 1] == '.' &&
           iequals(host.substr(host.size() - name.size()), name);
}

/// Where no proxy can lead.
bool is_near(std::string_view host) {
    if (is_loopback(host)) return true;
    static const auto link_local = IpNetwork::parse("169.254.0.0/16");
    static const auto link_local_6 = IpNetwork::parse("fe80::/10");
    const auto address = IpAddress::parse(host);
    return address && ((link_local && link_local->contains(*address)) ||
                       (link_local_6 && link_local_6->contains(*address)));
}

}  // namespace

std::string EgressProxy::authorization() const {
    if (credential.empty()) return {};
    const std::string_view plain = credential.reveal();
    std::string out((plain.size() + 2) / 3 * 4 + 1, '\0');
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(plain.data()), static_cast<int>(plain.size()));
    out.resize(static_cast<std::size_t>(size));
    return "Basic " + out;
}

std::string EgressProxy::to_string() const {
    return fmt::format("http://{}{}:{}", credential.empty() ? "" : "***@",
                       host.find(':') == std::string::npos ? host : '[' + host + ']', port);
}

Result<EgressProxy> parse_proxy(std::string_view text) {
    const std::string whole =
        text.find("://") == text.npos ? fmt::format("http://{}", text) : std::string(text);
    const auto parsed = urls::parse_uri(whole);
    if (!parsed) return fail(fmt::format("is not a URL; {}", expected));
    const urls::url_view& url = *parsed;
    if (url.scheme_id() != urls::scheme::http)
        return fail(fmt::format("is not reached by plain http; {}", expected));
    const std::string_view path = url.encoded_path();
    if (url.encoded_host().empty() || (!path.empty() && path != "/") || url.has_query() || url.has_fragment())
        return fail(fmt::format("is more or less than a host and a port; {}", expected));
    EgressProxy out;
    out.host = url.host_type() == urls::host_type::ipv6 ? std::string(url.host_ipv6_address().to_string())
                                                        : lowered_host(std::string_view(url.encoded_host()));
    if (url.has_port()) {
        const auto port = parse_int<std::uint16_t>(std::string_view(url.port()));
        if (!port || *port == 0) return fail("has a port outside 1…65535");
        out.port = *port;
    }
    if (url.has_userinfo()) {
        const auto user = percent_decoded(std::string_view(url.encoded_user()));
        const auto password = percent_decoded(std::string_view(url.encoded_password()));
        if (!user || !password) return fail("has a user name or password with a malformed escape");
        if (user->find(':') != std::string::npos) return fail("has a user name with a colon in it");
        out.credential = Secret(*user + ':' + *password);
    }
    return out;
}

bool is_exempt(std::string_view list, std::string_view host, std::uint16_t port) {
    while (!list.empty()) {
        const auto end = std::min(list.find_first_of(", \t"), list.size());
        const std::string_view entry = list.substr(0, end);
        list.remove_prefix(std::min(list.size(), end + 1));
        if (!entry.empty() && names(entry, host, port)) return true;
    }
    return false;
}

Result<std::optional<EgressProxy>> proxy_of_environment(bool tls, std::string_view host, std::uint16_t port,
                                                        const EnvLookup& env) {
    const auto either = [&env](std::string_view small, std::string_view capital, std::string_view& which) {
        for (const std::string_view name : {small, capital})
            if (auto value = env(name); value && !trim(*value).empty()) {
                which = name;
                return std::string(trim(*value));
            }
        return std::string();
    };
    std::string_view which;
    std::string proxy =
        tls ? either("https_proxy", "HTTPS_PROXY", which) : either("http_proxy", "HTTP_PROXY", which);
    if (proxy.empty() || is_near(host)) return std::optional<EgressProxy>();
    std::string_view ignored;
    if (is_exempt(either("no_proxy", "NO_PROXY", ignored), host, port)) return std::optional<EgressProxy>();
    auto parsed = parse_proxy(proxy);
    wipe(proxy);
    if (!parsed) return fail(fmt::format("{} {}", which, parsed.error().message));
    return std::optional<EgressProxy>(std::move(*parsed));
}

}  // namespace spillway::config
