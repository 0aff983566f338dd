#pragma once
/// Identifies a client of the gateway by its key.
///
/// Only SHA-256 digests of keys are kept. A presented key is hashed and looked up by digest in an immutable
/// table; the timing of the look-up can only reveal the digest, which reveals nothing about the key, and the
/// final comparison is CRYPTO_memcmp.
/// Ownership: values. Thread rule: a ClientKeys is immutable, shared by all threads; a KeyHasher belongs to
/// one thread.
/// Errors: make() returns what is wrong with the configuration; the KeyHasher's constructor throws
/// std::runtime_error if OpenSSL offers no SHA-256.
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/huge_pages.hpp"
#include "base/result.hpp"
#include "http/fields.hpp"

namespace spillway::identity {

using KeyDigest = std::array<unsigned char, 32>;

/// SHA-256 with the algorithm fetched once and the context reused. (OpenSSL 3.0 still allocates its inner
/// state for each hash, with one small malloc; about 0.1 µs.)
class KeyHasher {
public:
    KeyHasher();
    [[nodiscard]] KeyDigest operator()(std::string_view key);

private:
    struct Free {
        void operator()(EVP_MD* md) const noexcept { EVP_MD_free(md); }
        void operator()(EVP_MD_CTX* ctx) const noexcept { EVP_MD_CTX_free(ctx); }
    };
    std::unique_ptr<EVP_MD, Free> md_;
    std::unique_ptr<EVP_MD_CTX, Free> ctx_;
};

/// Whether the bytes are equal, in a time that depends only on the lengths.
[[nodiscard]] bool constant_time_equal(std::string_view a, std::string_view b) noexcept;

/// A client as configured; several keys allow rotation.
struct ClientSpec {
    std::string name;
    std::vector<KeyDigest> keys;
};

class ClientKeys {
public:
    /// Without clients: anonymous mode, where every request is from client 0, whatever its key.
    [[nodiscard]] static Result<ClientKeys> make(std::span<const ClientSpec> specs);

    /// A key that a request presents, and its digest.
    struct Presented {
        std::string_view key;
        KeyDigest digest{};
    };
    /// The digest is made where it is looked up: here, or `elsewhere`.
    [[nodiscard]] Presented hash(KeyHasher& hasher, std::string_view key, bool elsewhere = false) const;
    /// The memory that find() reads first, which is cold with many clients. Empty if it reads none.
    [[nodiscard]] std::span<const std::byte> place_of(const Presented& key) const noexcept;
    /// The client's index in make()'s specs; nullopt if the key is unknown (or empty).
    [[nodiscard]] std::optional<std::uint32_t> find(const Presented& presented) const noexcept;
    [[nodiscard]] bool anonymous() const noexcept { return table_.empty(); }

private:
    static constexpr std::uint32_t kEmpty = 0xffffffffU;
    /// Half a cache line: keeps 224 bits of the digest, the length of SHA-224.
    struct alignas(32) Slot {
        std::array<unsigned char, 28> digest{};
        std::uint32_t client = kEmpty;
    };
    [[nodiscard]] std::size_t first_slot(const KeyDigest& digest) const noexcept;
    [[nodiscard]] std::optional<std::uint32_t> find(const KeyDigest& digest) const noexcept;

    std::pmr::vector<Slot> table_{huge_pages()};  ///< open addressing, power of two, at most half full
};

/// The key that a request presents: the first non-empty one of `api-key` (Azure OpenAI),
/// `Ocp-Apim-Subscription-Key` (API Management's default) and `Authorization: Bearer` (OpenAI; RFC 6750 §2.1,
/// scheme in any case). Empty if there is none. A view into the fields.
[[nodiscard]] std::string_view presented_key(const http::Fields& fields) noexcept;

/// Whether a field carries a client's credentials, and so is never forwarded.
[[nodiscard]] bool is_credential_field(std::string_view name) noexcept;

}  // namespace spillway::identity
