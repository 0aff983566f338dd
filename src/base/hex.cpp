#include "base/hex.hpp"

namespace spillway {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

std::string to_hex(std::span<const unsigned char> bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const unsigned char byte : bytes) {
        out += kDigits[byte >> 4U];
        out += kDigits[byte & 0xfU];
    }
    return out;
}

void append_hex(Pen& out, std::uint64_t number) {
    std::array<char, 16> digits{};
    for (std::size_t i = digits.size(); i-- > 0; number >>= 4U) digits[i] = kDigits[number & 0xfU];
    out.text({digits.data(), digits.size()});
}

bool read_hex(std::string_view hex, std::span<unsigned char> out) noexcept {
    if (hex.size() != 2 * out.size()) return false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int byte = hex_byte(hex[2 * i], hex[2 * i + 1]);
        if (byte < 0) return false;
        out[i] = static_cast<unsigned char>(byte);
    }
    return true;
}

std::optional<std::string> percent_decoded(std::string_view raw) {
    std::string out;
    out.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '%') {
            out += raw[i];
            continue;
        }
        const int byte = raw.size() - i > 2 ? hex_byte(raw[i + 1], raw[i + 2]) : -1;
        if (byte < 0) return std::nullopt;
        out += static_cast<char>(byte);
        i += 2;
    }
    return out;
}

}  // namespace spillway
