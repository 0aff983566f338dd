#include "identity/client_keys.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <unordered_set>

#include "base/name_set.hpp"

namespace spillway::identity {
namespace {

constexpr std::string_view kBearer = "bearer";
constexpr NameSet kCredentials("api-key", "x-api-key", "authorization", "proxy-authorization",
                               "ocp-apim-subscription-key");

/// The token of `Bearer <token>`; empty for any other scheme.
std::string_view bearer_token(std::string_view authorization) noexcept {
    const std::string_view value = trim(authorization);
    if (value.size() <= kBearer.size() || !istarts_with(value, kBearer) || value[kBearer.size()] != ' ')
        return {};
    return trim(value.substr(kBearer.size()));
}

}  // namespace

KeyHasher::KeyHasher() : md_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), ctx_(EVP_MD_CTX_new()) {
    if (md_ == nullptr || ctx_ == nullptr) throw std::runtime_error("OpenSSL offers no SHA-256");
}

KeyDigest KeyHasher::operator()(std::string_view key) {
    KeyDigest digest;
    if (EVP_DigestInit_ex2(ctx_.get(), md_.get(), nullptr) != 1 ||
        EVP_DigestUpdate(ctx_.get(), key.data(), key.size()) != 1 ||
        EVP_DigestFinal_ex(ctx_.get(), digest.data(), nullptr) != 1)
        throw std::runtime_error("SHA-256 failed");
    return digest;
}

bool constant_time_equal(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

Result<ClientKeys> ClientKeys::make(std::span<const ClientSpec> specs) {
    ClientKeys keys;
    if (specs.empty()) return keys;
    std::size_t count = 0;
    for (const ClientSpec& spec : specs) count += spec.keys.size();
    keys.table_.resize(std::bit_ceil(std::max<std::size_t>(count, 1) * 2));

    std::unordered_set<std::string_view> names;
    for (std::uint32_t index = 0; index < specs.size(); ++index) {
        const ClientSpec& spec = specs[index];
        if (spec.name.empty()) return fail("a client has no name");
        if (!names.insert(spec.name).second)
            return fail(fmt::format("two clients are named '{}'", spec.name));
        for (const KeyDigest& digest : spec.keys) {
            if (const auto other = keys.find(digest)) {
                if (*other == index) return fail(fmt::format("client '{}' has a key twice", spec.name));
                return fail(
                    fmt::format("clients '{}' and '{}' have the same key", specs[*other].name, spec.name));
            }
            std::size_t slot = keys.first_slot(digest);
            while (keys.table_[slot].client != kEmpty) slot = (slot + 1) & (keys.table_.size() - 1);
            std::copy_n(digest.begin(), keys.table_[slot].digest.size(), keys.table_[slot].digest.begin());
            keys.table_[slot].client = index;
        }
    }
    return keys;
}

std::size_t ClientKeys::first_slot(const KeyDigest& digest) const noexcept {
    // A digest is uniform already: its first bytes are the hash.
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash & (table_.size() - 1);
}

std::optional<std::uint32_t> ClientKeys::find(const KeyDigest& digest) const noexcept {
    for (std::size_t i = first_slot(digest); table_[i].client != kEmpty; i = (i + 1) & (table_.size() - 1))
        if (CRYPTO_memcmp(table_[i].digest.data(), digest.data(), table_[i].digest.size()) == 0)
            return table_[i].client;
    return std::nullopt;
}

ClientKeys::Presented ClientKeys::hash(KeyHasher& hasher, std::string_view key, bool elsewhere) const {
    if (key.empty() || (anonymous() && !elsewhere)) return {key};
    return {key, hasher(key)};
}

std::span<const std::byte> ClientKeys::place_of(const Presented& presented) const noexcept {
    if (anonymous() || presented.key.empty()) return {};
    return std::as_bytes(std::span(table_).subspan(first_slot(presented.digest), 1));
}

std::optional<std::uint32_t> ClientKeys::find(const Presented& presented) const noexcept {
    if (anonymous()) return 0;
    return presented.key.empty() ? std::nullopt : find(presented.digest);
}

std::string_view presented_key(const http::Fields& fields) noexcept {
    for (const std::string_view name : {"api-key", "ocp-apim-subscription-key"})
        if (const std::string_view key = trim(fields.get(name)); !key.empty()) return key;
    return bearer_token(fields.get("authorization"));
}

bool is_credential_field(std::string_view name) noexcept {
    return kCredentials.has(name);
}

}  // namespace spillway::identity
