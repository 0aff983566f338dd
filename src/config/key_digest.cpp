#include "config/key_digest.hpp"

#include <openssl/evp.h>

#include <stdexcept>

#include "base/hex.hpp"

namespace spillway::config {

KeySha256 digest_of(std::string_view key) {
    KeySha256 out{};
    if (EVP_Digest(key.data(), key.size(), out.data(), nullptr, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("OpenSSL offers no SHA-256");
    return out;
}

std::optional<KeySha256> parse_key_sha256(std::string_view hex) {
    return parse_hex<std::tuple_size_v<KeySha256>>(hex);
}

}  // namespace spillway::config
