#pragma once
/// The part of JOSE that the gateway needs: reads public keys from a JSON Web Key Set (RFC 7517), verifies
/// JSON Web Tokens (RFC 7515, RFC 7518, RFC 8037), and signs a client assertion (RFC 7523).
///
/// Algorithms: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA (Ed25519). The algorithm
/// must match the key, and the key's own `alg` if it has one (RFC 8725 §3.1): a public key never verifies an
/// HMAC, `none` is unknown.
/// Ownership: values that own their keys. Thread rule: const functions are safe from any thread. Errors: say
/// what is wrong, never any part of a key.
#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace spillway::identity {

/// Base64 with the URL alphabet and without padding (RFC 4648 §5); false if malformed.
[[nodiscard]] bool decode_base64url(std::string_view text, std::string& out);
[[nodiscard]] std::string encode_base64url(std::string_view bytes);

struct FreeKey {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;

class KeySet {
public:
    KeySet() = default;
    /// The keys in `json` that can verify signatures, ignoring others (RFC 7517 §5). An Error if there is
    /// none, or one of a known kind is malformed.
    [[nodiscard]] static Result<KeySet> parse(std::string_view json);

    /// Whether a key with this id made `signature`. A key without id matches any id; an empty id, any key.
    [[nodiscard]] bool verifies(std::string_view algorithm, std::string_view key_id, std::string_view input,
                                std::string_view signature) const;
    [[nodiscard]] bool has(std::string_view key_id) const noexcept;
    [[nodiscard]] bool empty() const noexcept { return keys_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

private:
    enum class Type : std::uint8_t { rsa, p256, p384, p521, ed25519 };
    struct Algorithm;
    [[nodiscard]] static std::optional<Algorithm> find_algorithm(std::string_view name) noexcept;
    struct Key {
        std::string id;
        std::string algorithm;  ///< the only one it may be used with; empty: any suitable one
        Type type;
        KeyPtr key;
    };
    std::vector<Key> keys_;
};

/// Whether `signature` is the HMAC-SHA-256 of `input` under `secret` (HS256).
[[nodiscard]] bool verify_hs256(std::string_view secret, std::string_view input, std::string_view signature);

/// A JWT for Entra's token endpoint that authenticates `client_id` by its certificate (Microsoft Learn,
/// "Microsoft identity platform application authentication certificate credentials"): PS256 with `x5t#S256`,
/// valid for ten minutes. `pem` contains the certificate, and the RSA key unless that is in
/// `key_pem`.
[[nodiscard]] Result<std::string> client_assertion(std::string_view pem, std::string_view key_pem,
                                                   std::string_view client_id, std::string_view audience,
                                                   Wall now);

}  // namespace spillway::identity
