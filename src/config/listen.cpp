#include "config/listen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>

#include "base/strings.hpp"

namespace spillway::config {
namespace {

namespace urls = boost::urls;

bool is_host_name(std::string_view host) noexcept {
    return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
        const char l = ascii_lower(c);
        return (l >= 'a' && l <= 'z') || (l >= '0' && l <= '9') || l == '.' || l == '-' || l == '_';
    });
}

}  // namespace

Result<ListenConfig> parse_listen(std::string_view text) {
    constexpr auto expected = "expected an address and a port, such as 127.0.0.1:8080 or [::]:8080";
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return fail(expected);
    const auto port = parse_int<std::uint16_t>(text.substr(colon + 1));
    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        if (!urls::parse_ipv6_address(host)) return fail(expected);
    } else if (!is_host_name(host)) {
        return fail(expected);
    }
    if (!port) return fail(fmt::format("has a port that is not a number from 0 to 65535; {}", expected));
    return ListenConfig{std::string(host), *port};
}

std::string to_string(const ListenConfig& listen) {
    const bool v6 = listen.host.find(':') != std::string::npos;
    return v6 ? fmt::format("[{}]:{}", listen.host, listen.port)
              : fmt::format("{}:{}", listen.host, listen.port);
}

bool is_loopback(std::string_view host) {
    if (iequals(host, "localhost")) return true;
    if (const auto v4 = urls::parse_ipv4_address(host)) return v4->is_loopback();
    const auto v6 = urls::parse_ipv6_address(host);
    if (!v6) return false;
    const auto bytes = v6->to_bytes();
    return v6->is_loopback() || (v6->is_v4_mapped() && bytes[12] == 127);
}

}  // namespace spillway::config
