#include "chat/ids.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>

#include "base/hex.hpp"

namespace spillway::chat {
std::string new_id() {
    std::array<unsigned char, 16> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        throw std::runtime_error("the system gives no random numbers");
    return to_hex(bytes);
}

bool is_id(std::string_view s) noexcept {
    return s.size() == 32 &&
           std::ranges::all_of(s, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string digest(std::string_view s) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    if (EVP_Digest(s.data(), s.size(), bytes.data(), &size, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("SHA-256 is not available");
    return to_hex(std::span(bytes).first(size));
}

std::string pseudonym(std::string_view session) {
    return "chat-" + digest(std::string("user ").append(session)).substr(0, 32);
}

}  // namespace spillway::chat
