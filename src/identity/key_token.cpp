#include "identity/key_token.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "identity/random_bytes.hpp"

namespace spillway::identity {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kRandom = 36;
constexpr std::size_t kCheck = 6;

/// IEEE 802.3, as zlib's.
std::uint32_t crc32(std::string_view text) noexcept {
    std::uint32_t crc = 0xffffffffU;
    for (const char c : text) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ (0xedb88320U & (0U - (crc & 1U)));
    }
    return ~crc;
}

std::string check_of(std::string_view text) {
    std::string out(kCheck, kDigits.front());
    constexpr auto base = static_cast<std::uint32_t>(kDigits.size());
    std::uint32_t crc = crc32(text);
    for (std::size_t i = kCheck; i-- > 0 && crc != 0; crc /= base) out[i] = kDigits[crc % base];
    return out;
}

}  // namespace

std::string make_key(std::span<const unsigned char> random) {
    std::string key(kKeyPrefix);
    std::size_t made = 0;
    // What is left over of 256 would make some digits likelier: it is left out.
    constexpr unsigned even = 256 / kDigits.size() * kDigits.size();
    for (const unsigned char byte : random) {
        if (made == kRandom) break;
        if (byte >= even) continue;
        key += kDigits[byte % kDigits.size()];
        ++made;
    }
    if (made < kRandom) return {};
    return key + check_of(key);
}

std::string make_key() {
    std::string key;
    while (key.empty()) {
        std::array<unsigned char, 64> random{};
        fill_random(random);
        key = make_key(random);
    }
    return key;
}

bool is_made_key(std::string_view key) noexcept {
    if (key.size() != kKeyPrefix.size() + kRandom + kCheck || !key.starts_with(kKeyPrefix)) return false;
    return check_of(key.substr(0, key.size() - kCheck)) == key.substr(key.size() - kCheck);
}

KeyMacMaker::KeyMacMaker(const StoreSecret& secret) {
    const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr),
                                                                 &EVP_MAC_free);
    keyed_.reset(EVP_MAC_CTX_new(hmac.get()));
    std::string sha256 = "SHA256";
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256.data(), sha256.size()),
        OSSL_PARAM_construct_end()};
    if (keyed_ == nullptr || EVP_MAC_init(keyed_.get(), secret.data(), secret.size(), parameters.data()) != 1)
        throw std::runtime_error("OpenSSL offers no HMAC-SHA256");
}

KeyMac KeyMacMaker::operator()(std::span<const unsigned char, 32> sha256) const {
    const std::unique_ptr<EVP_MAC_CTX, Free> context(EVP_MAC_CTX_dup(keyed_.get()));
    KeyMac mac{};
    std::size_t length = 0;
    if (context == nullptr || EVP_MAC_update(context.get(), sha256.data(), sha256.size()) != 1 ||
        EVP_MAC_final(context.get(), mac.data(), &length, mac.size()) != 1)
        throw std::runtime_error("HMAC-SHA256 failed");
    return mac;
}

KeyMac mac_of_digest(const StoreSecret& secret, std::span<const unsigned char, 32> sha256) {
    return KeyMacMaker(secret)(sha256);
}

KeyMac mac_of_key(const StoreSecret& secret, std::string_view key) {
    std::array<unsigned char, 32> digest{};
    if (EVP_Digest(key.data(), key.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("SHA-256 failed");
    return mac_of_digest(secret, digest);
}

std::string random_id(std::string_view prefix) {
    constexpr std::string_view digits = "0123456789abcdefghjkmnpqrstvwxyz";
    std::array<unsigned char, 16> random{};
    fill_random(random);
    std::string out(prefix);
    for (const unsigned char byte : random) out += digits[byte % digits.size()];
    return out;
}

}  // namespace spillway::identity
