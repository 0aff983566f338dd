#include "config/key_digest.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace spillway::config {

KeySha256 digest_of(std::string_view key) {
    KeySha256 out{};
    if (EVP_Digest(key.data(), key.size(), out.data(), nullptr, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("OpenSSL offers no SHA-256");
    return out;
}

std::optional<KeySha256> parse_key_sha256(std::string_view hex) {
    KeySha256 out{};
    if (hex.size() != 2 * out.size()) return std::nullopt;
    const auto digit = [](char c) -> unsigned {
        if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
        if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
        if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
        return 16U;
    };
    for (std::size_t i = 0; i < out.size(); ++i) {
        const unsigned high = digit(hex[2 * i]);
        const unsigned low = digit(hex[2 * i + 1]);
        if (high > 15 || low > 15) return std::nullopt;
        out[i] = static_cast<unsigned char>(high * 16 + low);
    }
    return out;
}

}  // namespace spillway::config
