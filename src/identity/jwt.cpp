#include "identity/jwt.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>

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

std::string text_or_number(const object& o, std::string_view key) {
    if (key.empty()) return {};
    element value;
    if (o.at_key(key).get(value) != simdjson::SUCCESS) return {};
    if (std::string_view text; value.get(text) == simdjson::SUCCESS) return std::string(text);
    if (std::int64_t number = 0; value.get(number) == simdjson::SUCCESS) return std::to_string(number);
    return {};
}

Number number_of(const object& o, std::string_view key) {
    std::string raw;
    const std::string_view text = text_of(o, key);
    if (text.empty() || !decode_base64url(text, raw)) return nullptr;
    return Number(BN_bin2bn(bytes(raw), static_cast<int>(raw.size()), nullptr));
}

EVP_PKEY* from_params(const char* type, OSSL_PARAM_BLD* builder) {
    const Params params(OSSL_PARAM_BLD_to_param(builder));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
        return nullptr;
    return key;
}

EVP_PKEY* rsa_key(const object& jwk) {
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

EVP_PKEY* p256_key(const object& jwk) {
    std::string x;
    std::string y;
    if (!decode_base64url(text_of(jwk, "x"), x) || !decode_base64url(text_of(jwk, "y"), y) ||
        x.size() != 32 || y.size() != 32)
        return nullptr;
    const std::string point = '\x04' + x + y;
    const Builder builder(OSSL_PARAM_BLD_new());
    if (builder == nullptr ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1)
        return nullptr;
    return from_params("EC", builder.get());
}

/// JWS has r and s as 32 bytes each (RFC 7518 §3.4), OpenSSL wants DER.
std::optional<std::string> der_signature(std::string_view raw) {
    if (raw.size() != 64) return std::nullopt;
    const Signature signature(ECDSA_SIG_new());
    BIGNUM* r = BN_bin2bn(bytes(raw), 32, nullptr);
    BIGNUM* s = BN_bin2bn(bytes(raw) + 32, 32, nullptr);
    if (signature == nullptr || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return std::nullopt;
    }
    const int size = i2d_ECDSA_SIG(signature.get(), nullptr);
    if (size <= 0) return std::nullopt;
    std::string der(static_cast<std::size_t>(size), '\0');
    auto* out = reinterpret_cast<unsigned char*>(der.data());
    i2d_ECDSA_SIG(signature.get(), &out);
    return der;
}

bool verify_digest(EVP_PKEY* key, std::string_view input, std::string_view signature) {
    const DigestContext context(EVP_MD_CTX_new());
    return context != nullptr &&
           EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
           EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(input), input.size()) ==
               1;
}

bool verify_hmac(std::string_view secret, std::string_view input, std::string_view signature) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes(input), input.size(),
             mac.data(), &size) == nullptr)
        return false;
    return constant_time_equal({reinterpret_cast<const char*>(mac.data()), size}, signature);
}

/// A NumericDate: seconds since the epoch, maybe with a fraction.
std::optional<Wall> date_of(const object& claims, std::string_view key) {
    double seconds = 0;
    if (claims.at_key(key).get(seconds) != simdjson::SUCCESS) return std::nullopt;
    return Wall(from_seconds(std::clamp(seconds, 0.0, 9e9)));
}

bool names_audience(const object& claims, std::string_view wanted) {
    element value;
    if (claims.at_key("aud").get(value) != simdjson::SUCCESS) return false;
    if (std::string_view one; value.get(one) == simdjson::SUCCESS) return one == wanted;
    simdjson::dom::array many;
    if (value.get(many) != simdjson::SUCCESS) return false;
    for (const element item : many)
        if (std::string_view one; item.get(one) == simdjson::SUCCESS && one == wanted) return true;
    return false;
}

}  // namespace

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

bool JwtVerifier::looks_like_token(std::string_view text) noexcept {
    const std::size_t first = text.find('.');
    if (first == std::string_view::npos || first == 0) return false;
    const std::size_t second = text.find('.', first + 1);
    return second != std::string_view::npos && text.find('.', second + 1) == std::string_view::npos;
}

Result<JwtVerifier> JwtVerifier::make(config::JwtConfig config, std::string_view jwks) {
    JwtVerifier out;
    out.config_ = std::move(config);
    if (out.config_.jwks_file.empty()) return out;
    simdjson::dom::parser parser;
    simdjson::dom::array keys;
    if (parser.parse(jwks.data(), jwks.size()).at_key("keys").get(keys) != simdjson::SUCCESS)
        return fail(out.config_.jwks_file + ": is no JSON Web Key Set");
    for (const element item : keys) {
        object jwk;
        if (item.get(jwk) != simdjson::SUCCESS) continue;
        const std::string_view type = text_of(jwk, "kty");
        // Keys for other uses or of other kinds may stand beside (RFC 7517 §5).
        if (const auto use = text_of(jwk, "use"); !use.empty() && use != "sig") continue;
        const bool rsa = type == "RSA";
        if (!rsa && !(type == "EC" && text_of(jwk, "crv") == "P-256")) continue;
        Key key{std::string(text_of(jwk, "kid")), rsa ? Algorithm::rs256 : Algorithm::es256,
                std::unique_ptr<EVP_PKEY, Free>(rsa ? rsa_key(jwk) : p256_key(jwk))};
        if (key.key == nullptr) return fail(out.config_.jwks_file + ": holds a key that cannot be used");
        out.keys_.push_back(std::move(key));
    }
    if (out.keys_.empty()) return fail(out.config_.jwks_file + ": holds no RSA or P-256 key for signatures");
    return out;
}

bool JwtVerifier::signed_by_any(std::string_view algorithm, std::string_view key_id, std::string_view input,
                                std::string_view signature) const {
    if (algorithm == "HS256")
        return !config_.secret.empty() && verify_hmac(config_.secret.reveal(), input, signature);
    std::optional<std::string> der;
    Algorithm wanted = Algorithm::rs256;
    if (algorithm == "ES256") {
        wanted = Algorithm::es256;
        der = der_signature(signature);
        if (!der) return false;
        signature = *der;
    } else if (algorithm != "RS256") {
        return false;
    }
    for (const Key& key : keys_) {
        if (key.algorithm != wanted) continue;
        if (!key_id.empty() && !key.id.empty() && key.id != key_id) continue;
        if (verify_digest(key.key.get(), input, signature)) return true;
    }
    return false;
}

Result<TokenClaims> JwtVerifier::verify(std::string_view token, Wall now) const {
    if (!looks_like_token(token)) return fail("is no token");
    const std::size_t first = token.find('.');
    const std::size_t second = token.find('.', first + 1);
    std::string header_text;
    std::string claims_text;
    std::string signature;
    if (!decode_base64url(token.substr(0, first), header_text) ||
        !decode_base64url(token.substr(first + 1, second - first - 1), claims_text) ||
        !decode_base64url(token.substr(second + 1), signature))
        return fail("is malformed");
    simdjson::dom::parser header_parser;
    object header;
    if (header_parser.parse(header_text).get(header) != simdjson::SUCCESS) return fail("is malformed");
    if (header.at_key("crit").error() == simdjson::SUCCESS) return fail("needs an extension");
    if (!signed_by_any(text_of(header, "alg"), text_of(header, "kid"), token.substr(0, second), signature))
        return fail("is not signed by a known key");

    simdjson::dom::parser claims_parser;
    object claims;
    if (claims_parser.parse(claims_text).get(claims) != simdjson::SUCCESS) return fail("is malformed");
    const auto expires = date_of(claims, "exp");
    if (!expires || now >= *expires + config_.leeway) return fail("has expired");
    if (const auto begins = date_of(claims, "nbf"); begins && now + config_.leeway < *begins)
        return fail("is not valid yet");
    if (!config_.issuer.empty() && text_of(claims, "iss") != config_.issuer)
        return fail("is of another issuer");
    if (!config_.audience.empty() && !names_audience(claims, config_.audience))
        return fail("is for another audience");
    return TokenClaims{text_or_number(claims, config_.client_claim),
                       text_or_number(claims, config_.user_claim),
                       text_or_number(claims, config_.team_claim)};
}

}  // namespace spillway::identity
