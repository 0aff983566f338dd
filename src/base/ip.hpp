#pragma once
/// IP addresses and networks as values. IPv4 is held in its mapped form (RFC 4291 §2.5.5.2), as a dual-stack
/// listener sees it, so that 10.0.0.1 and ::ffff:10.0.0.1 are the same.
/// Thread rule: plain values. Errors: nullopt for what is not an address.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace spillway {

class IpAddress {
public:
    using Bytes = std::array<std::uint8_t, 16>;

    /// "192.0.2.1" or "2001:db8::1", without brackets or zone.
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text) noexcept;
    [[nodiscard]] bool is_v4() const noexcept;
    [[nodiscard]] const Bytes& bytes() const noexcept { return bytes_; }
    friend bool operator==(const IpAddress&, const IpAddress&) = default;

private:
    Bytes bytes_{};
};

class IpNetwork {
public:
    /// "10.0.0.0/8", "2001:db8::/32", or a single address.
    [[nodiscard]] static std::optional<IpNetwork> parse(std::string_view text) noexcept;
    [[nodiscard]] bool contains(const IpAddress& address) const noexcept;

private:
    IpAddress address_;
    unsigned prefix_ = 128;  ///< bits that count, in the mapped form
};

}  // namespace spillway
