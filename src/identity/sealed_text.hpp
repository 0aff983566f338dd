#pragma once
/// Seals a text for its own sender: what browsers keep for the gateway in a cookie, which they can neither
/// read nor change. AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits, in base64url.
///
/// Keys are derived from a secret for one purpose (HMAC-SHA256), so that what is sealed for one is not opened
/// for another. A key is good for 2^32 texts. Ownership: owns its key, and wipes it. Thread rule: const
/// functions are safe from any thread. Errors: std::runtime_error if OpenSSL cannot; open() gives nullopt for
/// whatever was not sealed with the same secret and purpose.
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace spillway::identity {

class Sealer {
public:
    Sealer(std::string_view secret, std::string_view purpose);
    Sealer(const Sealer&) = delete;
    Sealer& operator=(const Sealer&) = delete;
    ~Sealer();

    [[nodiscard]] std::string seal(std::string_view text) const;
    [[nodiscard]] std::optional<std::string> open(std::string_view sealed) const;

private:
    std::array<unsigned char, 32> key_{};
};

}  // namespace spillway::identity
