#include "http/address_counts.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace spillway::http {
namespace {

constexpr std::size_t network = 8;  // bytes of an IPv6 address that count

std::array<std::uint8_t, 16> key_of(const Endpoint& peer) noexcept {
    std::array<std::uint8_t, 16> key{};
    if (peer.family() == AF_INET6) {
        sockaddr_in6 in{};
        std::memcpy(&in, peer.address(), std::min<std::size_t>(sizeof in, peer.size()));
        const std::span<const std::uint8_t, 16> bytes(in.sin6_addr.s6_addr);
        // A dual-stack listener sees IPv4 in its mapped form.
        const std::size_t kept = IN6_IS_ADDR_V4MAPPED(&in.sin6_addr) ? key.size() : network;
        std::copy_n(bytes.begin(), kept, key.begin());
    } else {
        sockaddr_in in{};
        std::memcpy(&in, peer.address(), std::min<std::size_t>(sizeof in, peer.size()));
        key[10] = key[11] = 0xff;  // the mapped form
        std::memcpy(key.data() + 12, &in.sin_addr.s_addr, 4);
    }
    return key;
}

}  // namespace

AddressCounts::Place AddressCounts::enter(const Endpoint& peer) {
    Place place;
    place.key_ = key_of(peer);
    const std::scoped_lock lock(mutex_);
    place.number_ = ++counts_[place.key_];
    place.counts_ = this;
    return place;
}

void AddressCounts::leave(const Key& key) noexcept {
    const std::scoped_lock lock(mutex_);
    if (const auto at = counts_.find(key); at != counts_.end() && --at->second == 0) counts_.erase(at);
}

}  // namespace spillway::http
