#include "base/ip.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include "base/strings.hpp"

namespace spillway {

namespace {
constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) noexcept {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.empty() || text.size() >= terminated.size()) return std::nullopt;
    std::copy(text.begin(), text.end(), terminated.begin());
    IpAddress out;
    if (::inet_pton(AF_INET6, terminated.data(), out.bytes_.data()) == 1) return out;
    std::copy(mapped_prefix.begin(), mapped_prefix.end(), out.bytes_.begin());
    if (::inet_pton(AF_INET, terminated.data(), out.bytes_.data() + mapped_prefix.size()) == 1) return out;
    return std::nullopt;
}

bool IpAddress::is_v4() const noexcept {
    return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes_.begin());
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) noexcept {
    const auto slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    IpNetwork out;
    out.address_ = *address;
    if (slash == std::string_view::npos) return out;
    const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
    const auto bits = parse_int<unsigned>(text.substr(slash + 1));
    if (!bits || *bits > (v4 ? 32U : 128U)) return std::nullopt;
    out.prefix_ = v4 ? 96 + *bits : *bits;
    return out;
}

bool IpNetwork::contains(const IpAddress& address) const noexcept {
    for (unsigned at = 0; at < prefix_; at += 8) {
        const unsigned bits = std::min(8U, prefix_ - at);
        const auto mask = static_cast<std::uint8_t>(0xffU << (8 - bits));
        if (((address_.bytes()[at / 8] ^ address.bytes()[at / 8]) & mask) != 0) return false;
    }
    return true;
}

}  // namespace spillway
