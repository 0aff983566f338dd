#pragma once
/// Keys that the gateway makes: `sk-spillway-`, 36 random letters and digits (214 bits), and 6 that check
/// them, so that scanners for leaked secrets know one when they see it, and a mistyped one costs no look-up.
///
/// The check is the CRC-32 of what stands before it, in base 62 with leading zeros: the form of GitHub's
/// tokens (github.blog/engineering/behind-githubs-new-authentication-token-formats). Of a key is kept
/// HMAC-SHA256 of its SHA-256, with a secret of the store: who reads the store alone cannot try keys. Thread
/// rule: free functions, safe everywhere. Errors: std::runtime_error if OpenSSL has no SHA-256.
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace spillway::identity {

inline constexpr std::string_view kKeyPrefix = "sk-spillway-";
using StoreSecret = std::array<unsigned char, 32>;
using KeyMac = std::array<unsigned char, 32>;

/// `random`: at least 36 bytes that nobody can guess.
[[nodiscard]] std::string make_key(std::span<const unsigned char> random);
/// A new one, of OpenSSL's random numbers.
[[nodiscard]] std::string make_key();
/// Whether it is written as one and its check is right.
[[nodiscard]] bool is_made_key(std::string_view key) noexcept;

[[nodiscard]] KeyMac mac_of_key(const StoreSecret& secret, std::string_view key);
[[nodiscard]] KeyMac mac_of_digest(const StoreSecret& secret, std::span<const unsigned char, 32> sha256);

/// mac_of_digest() with the secret taken in once: a third of its time. Safe from any thread.
class KeyMacMaker {
public:
    explicit KeyMacMaker(const StoreSecret& secret);
    [[nodiscard]] KeyMac operator()(std::span<const unsigned char, 32> sha256) const;

private:
    struct Free {
        void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
    };
    std::unique_ptr<EVP_MAC_CTX, Free> keyed_;
};

/// Random bytes as lower-case letters and digits: an id.
[[nodiscard]] std::string random_id(std::string_view prefix);

}  // namespace spillway::identity
