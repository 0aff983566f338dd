#include "identity/jose.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "identity/client_keys.hpp"

namespace spillway::identity {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

template <class T, void (*release)(T*)>
struct FreeWith {
    void operator()(T* p) const noexcept { release(p); }
};
using Number = std::unique_ptr<BIGNUM, FreeWith<BIGNUM, BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM, OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX, EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, FreeWith<ECDSA_SIG, ECDSA_SIG_free>>;

const unsigned char* bytes(std::string_view s) noexcept {
    return reinterpret_cast<const unsigned char*>(s.data());
}

std::string_view text_of(const object& o, std::string_view key) {
    std::string_view out;
    if (o.at_key(key).get(out) != simdjson::SUCCESS) return {};
    return out;
}

Number number_of(const object& o, std::string_view key) {
    std::string raw;
    const std::string_view text = text_of(o, key);
    if (text.empty() || !decode_base64url(text, raw)) return nullptr;
    return Number(BN_bin2bn(bytes(raw), static_cast<int>(raw.size()), nullptr));
}

KeyPtr from_params(const char* type, OSSL_PARAM_BLD* builder) {
    const Params params(OSSL_PARAM_BLD_to_param(builder));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
        return nullptr;
    return KeyPtr(key);
}

KeyPtr rsa_key(const object& jwk) {
    const Number n = number_of(jwk, "n");
    const Number e = number_of(jwk, "e");
    const Builder builder(OSSL_PARAM_BLD_new());
    // RFC 7518 §3.3: at least 2048 bits.
    if (n == nullptr || e == nullptr || BN_num_bits(n.get()) < 2048 || builder == nullptr ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
        return nullptr;
    return from_params("RSA", builder.get());
}

KeyPtr ec_key(const object& jwk, const char* group, std::size_t size) {
    std::string x;
    std::string y;
    if (!decode_base64url(text_of(jwk, "x"), x) || !decode_base64url(text_of(jwk, "y"), y) ||
        x.size() != size || y.size() != size)
        return nullptr;
    const std::string point = '\x04' + x + y;
    const Builder builder(OSSL_PARAM_BLD_new());
    if (builder == nullptr ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1)
        return nullptr;
    return from_params("EC", builder.get());
}

KeyPtr ed25519_key(const object& jwk) {
    std::string x;
    if (!decode_base64url(text_of(jwk, "x"), x) || x.size() != 32) return nullptr;
    return KeyPtr(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(x), x.size()));
}

/// JWS has r and s with `size` bytes each (RFC 7518 §3.4), OpenSSL wants DER.
std::optional<std::string> der_signature(std::string_view raw, std::size_t size) {
    if (raw.size() != 2 * size) return std::nullopt;
    const Signature signature(ECDSA_SIG_new());
    const auto length = static_cast<int>(size);
    BIGNUM* r = BN_bin2bn(bytes(raw), length, nullptr);
    BIGNUM* s = BN_bin2bn(bytes(raw) + size, length, nullptr);
    if (signature == nullptr || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return std::nullopt;
    }
    const int written = i2d_ECDSA_SIG(signature.get(), nullptr);
    if (written <= 0) return std::nullopt;
    std::string der(static_cast<std::size_t>(written), '\0');
    auto* out = reinterpret_cast<unsigned char*>(der.data());
    i2d_ECDSA_SIG(signature.get(), &out);
    return der;
}

bool use_pss(EVP_PKEY_CTX* context, const EVP_MD* digest) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) == 1;
}

bool verify(EVP_PKEY* key, const EVP_MD* digest, bool pss, std::string_view input,
            std::string_view signature) {
    const DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* of_key = nullptr;  // the context's own
    return context != nullptr && EVP_DigestVerifyInit(context.get(), &of_key, digest, nullptr, key) == 1 &&
           (!pss || use_pss(of_key, digest)) &&
           EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(input), input.size()) ==
               1;
}

}  // namespace

/// What a name of RFC 7518 §3.1 or RFC 8037 §3.1 means.
struct KeySet::Algorithm {
    std::string_view name;
    Type type;
    const EVP_MD* (*digest)();  ///< null: the algorithm has its own
    bool pss;
    std::size_t half;  ///< of an ECDSA signature, bytes
};

std::optional<KeySet::Algorithm> KeySet::find_algorithm(std::string_view name) noexcept {
    static constexpr std::array<Algorithm, 10> known{{
        {"RS256", Type::rsa, EVP_sha256, false, 0},
        {"RS384", Type::rsa, EVP_sha384, false, 0},
        {"RS512", Type::rsa, EVP_sha512, false, 0},
        {"PS256", Type::rsa, EVP_sha256, true, 0},
        {"PS384", Type::rsa, EVP_sha384, true, 0},
        {"PS512", Type::rsa, EVP_sha512, true, 0},
        {"ES256", Type::p256, EVP_sha256, false, 32},
        {"ES384", Type::p384, EVP_sha384, false, 48},
        {"ES512", Type::p521, EVP_sha512, false, 66},
        {"EdDSA", Type::ed25519, nullptr, false, 0},
    }};
    const auto* const found = std::ranges::find(known, name, &Algorithm::name);
    return found == known.end() ? std::nullopt : std::optional(*found);
}

Result<KeySet> KeySet::parse(std::string_view json) {
    simdjson::dom::parser parser;
    simdjson::dom::array keys;
    if (parser.parse(simdjson::padded_string(json)).at_key("keys").get(keys) != simdjson::SUCCESS)
        return fail("is no JSON Web Key Set");
    KeySet out;
    for (const element item : keys) {
        object jwk;
        if (item.get(jwk) != simdjson::SUCCESS) continue;
        if (const auto use = text_of(jwk, "use"); !use.empty() && use != "sig") continue;
        const std::string_view type = text_of(jwk, "kty");
        const std::string_view curve = text_of(jwk, "crv");
        Key key{std::string(text_of(jwk, "kid")), std::string(text_of(jwk, "alg")), Type::rsa, nullptr};
        if (type == "RSA") {
            key.key = rsa_key(jwk);
        } else if (type == "EC" && curve == "P-256") {
            key.type = Type::p256;
            key.key = ec_key(jwk, "prime256v1", 32);
        } else if (type == "EC" && curve == "P-384") {
            key.type = Type::p384;
            key.key = ec_key(jwk, "secp384r1", 48);
        } else if (type == "EC" && curve == "P-521") {
            key.type = Type::p521;
            key.key = ec_key(jwk, "secp521r1", 66);
        } else if (type == "OKP" && curve == "Ed25519") {
            key.type = Type::ed25519;
            key.key = ed25519_key(jwk);
        } else {
            continue;
        }
        if (key.key == nullptr) return fail("holds a key that cannot be used");
        out.keys_.push_back(std::move(key));
    }
    if (out.keys_.empty()) return fail("holds no RSA, EC or Ed25519 key for signatures");
    return out;
}

bool KeySet::verifies(std::string_view algorithm, std::string_view key_id, std::string_view input,
                      std::string_view signature) const {
    const auto wanted = find_algorithm(algorithm);
    if (!wanted) return false;
    std::optional<std::string> der;
    if (wanted->half != 0) {
        der = der_signature(signature, wanted->half);
        if (!der) return false;
        signature = *der;
    }
    const EVP_MD* digest = wanted->digest == nullptr ? nullptr : wanted->digest();
    return std::ranges::any_of(keys_, [&](const Key& key) {
        return key.type == wanted->type && (key.algorithm.empty() || key.algorithm == algorithm) &&
               (key_id.empty() || key.id.empty() || key.id == key_id) &&
               verify(key.key.get(), digest, wanted->pss, input, signature);
    });
}

bool KeySet::has(std::string_view key_id) const noexcept {
    return std::ranges::any_of(keys_, [&](const Key& k) { return k.id.empty() || k.id == key_id; });
}

bool verify_hs256(std::string_view secret, std::string_view input, std::string_view signature) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes(input), input.size(),
             mac.data(), &size) == nullptr)
        return false;
    return constant_time_equal({reinterpret_cast<const char*>(mac.data()), size}, signature);
}

bool decode_base64url(std::string_view text, std::string& out) {
    const auto value = [](char c) {
        if (c >= 'A' && c <= 'Z') return c - 'A';
        if (c >= 'a' && c <= 'z') return c - 'a' + 26;
        if (c >= '0' && c <= '9') return c - '0' + 52;
        return c == '-' ? 62 : c == '_' ? 63 : -1;
    };
    out.clear();
    if (text.size() % 4 == 1) return false;
    unsigned held = 0;
    int bits = 0;
    for (const char c : text) {
        const int v = value(c);
        if (v < 0) return false;
        held = (held << 6U) | static_cast<unsigned>(v);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out += static_cast<char>((held >> static_cast<unsigned>(bits)) & 0xffU);
    }
    return (held & ((1U << static_cast<unsigned>(bits)) - 1)) == 0;
}

std::string encode_base64url(std::string_view raw) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    out.reserve((raw.size() * 4 + 2) / 3);
    unsigned held = 0;
    unsigned bits = 0;
    for (const char c : raw) {
        held = (held << 8U) | static_cast<unsigned char>(c);
        bits += 8;
        for (; bits >= 6; bits -= 6) out += alphabet[(held >> (bits - 6)) & 63U];
    }
    if (bits > 0) out += alphabet[(held << (6 - bits)) & 63U];
    return out;
}

}  // namespace spillway::identity
