#pragma once
/// Which of the gateway's clients shows a key.
///
/// Keys are held as SHA-256 digests only. A presented key is hashed and looked up by digest in an
/// immutable table; the lookup's timing can reveal the digest alone, which says nothing of the key, and
/// the final comparison is CRYPTO_memcmp.
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

/// SHA-256 with the algorithm fetched once and the context reused. (OpenSSL 3.0 still renews its inner state
/// at each start, one small malloc; about 0.1 µs in all.)
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

/// Equal bytes; the time taken depends on the lengths only.
[[nodiscard]] bool constant_time_equal(std::string_view a, std::string_view b) noexcept;

/// A client as configured; several keys allow rotation.
struct ClientSpec {
    std::string name;
    std::vector<KeyDigest> keys;
};

class ClientKeys {
public:
    /// No clients: anonymous mode, where everyone is client 0 whatever key they show.
    [[nodiscard]] static Result<ClientKeys> make(std::span<const ClientSpec> specs);

    /// A key that a request presents, and what finds it.
    struct Presented {
        std::string_view key;
        KeyDigest digest{};
    };
    [[nodiscard]] Presented hash(KeyHasher& hasher, std::string_view key) const;
    /// Where find() looks first: cold memory where there are many clients. Empty if it looks nowhere.
    [[nodiscard]] std::span<const std::byte> place_of(const Presented& key) const noexcept;
    /// Whose key this is, by position in make()'s specs; nothing if nobody's (or empty).
    [[nodiscard]] std::optional<std::uint32_t> find(const Presented& presented) const noexcept;
    [[nodiscard]] bool anonymous() const noexcept { return table_.empty(); }

private:
    static constexpr std::uint32_t kEmpty = 0xffffffffU;
    /// Half a cache line: of the digest 224 bits are kept, the length of SHA-224.
    struct alignas(32) Slot {
        std::array<unsigned char, 28> digest{};
        std::uint32_t client = kEmpty;
    };
    [[nodiscard]] std::size_t first_slot(const KeyDigest& digest) const noexcept;
    [[nodiscard]] std::optional<std::uint32_t> find(const KeyDigest& digest) const noexcept;

    std::pmr::vector<Slot> table_{huge_pages()};  ///< open addressing, power of two, at most half full
};

/// The key a request shows: `api-key` (Azure OpenAI), `Ocp-Apim-Subscription-Key` (API Management's
/// default), or `Authorization: Bearer` (OpenAI; RFC 6750 §2.1, scheme in any case), the first that is not
/// empty in that order. Empty when there is none. A view into the fields.
[[nodiscard]] std::string_view presented_key(const http::Fields& fields) noexcept;

/// Fields that carry a client's credentials and are never forwarded.
[[nodiscard]] bool is_credential_field(std::string_view name) noexcept;

}  // namespace spillway::identity
