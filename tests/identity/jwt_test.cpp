#include "identity/jwt.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <array>
#include <memory>

namespace spillway::identity {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const Wall kNow(std::chrono::seconds(1'750'000'000));
constexpr std::string_view kSecret = "a-shared-secret-of-some-length";

std::string encode(std::string_view raw) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string out;
    unsigned held = 0;
    int bits = 0;
    for (const char c : raw) {
        held = (held << 8U) | static_cast<unsigned char>(c);
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            out += alphabet[(held >> static_cast<unsigned>(bits)) & 63U];
        }
    }
    if (bits > 0) out += alphabet[(held << static_cast<unsigned>(6 - bits)) & 63U];
    return out;
}

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

std::string number(EVP_PKEY* key, const char* name, int size = 0) {
    BIGNUM* n = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &n), 1);
    std::string out(static_cast<std::size_t>(size == 0 ? BN_num_bytes(n) : size), '\0');
    BN_bn2binpad(n, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
    BN_free(n);
    return encode(out);
}

std::string sign(EVP_PKEY* key, std::string_view input) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    std::size_t size = 0;
    const auto* data = reinterpret_cast<const unsigned char*>(input.data());
    EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key);
    EVP_DigestSign(context, nullptr, &size, data, input.size());
    std::string out(size, '\0');
    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size, data, input.size());
    EVP_MD_CTX_free(context);
    out.resize(size);
    return out;
}

std::string raw_ecdsa(const std::string& der) {
    const auto* p = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &p, static_cast<long>(der.size()));
    std::string out(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), reinterpret_cast<unsigned char*>(out.data()), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), reinterpret_cast<unsigned char*>(out.data()) + 32, 32);
    ECDSA_SIG_free(signature);
    return out;
}

class Jwt : public testing::Test {
protected:
    static std::string part(std::string_view header, std::string_view claims) {
        return encode(header) + "." + encode(claims);
    }
    static std::string hs256(std::string_view claims, std::string_view secret = kSecret,
                             std::string_view header = R"({"alg":"HS256"})") {
        const std::string input = part(header, claims);
        std::array<unsigned char, 32> mac{};
        HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
             reinterpret_cast<const unsigned char*>(input.data()), input.size(), mac.data(), nullptr);
        return input + "." + encode({reinterpret_cast<const char*>(mac.data()), mac.size()});
    }
    std::string rs256(std::string_view claims, std::string_view header = R"({"alg":"RS256","kid":"r1"})") {
        const std::string input = part(header, claims);
        return input + "." + encode(sign(rsa.get(), input));
    }
    std::string es256(std::string_view claims, std::string_view header = R"({"alg":"ES256"})") {
        const std::string input = part(header, claims);
        return input + "." + encode(raw_ecdsa(sign(ec.get(), input)));
    }
    std::string jwks() {
        return R"({"keys":[{"kty":"oct","k":"AAAA"},{"kty":"RSA","use":"enc","n":"AA","e":"AQAB"},)"
               R"({"kty":"RSA","kid":"r1","use":"sig","n":")" +
               number(rsa.get(), OSSL_PKEY_PARAM_RSA_N) + R"(","e":"AQAB"},{"kty":"EC","crv":"P-256","x":")" +
               number(ec.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32) + R"(","y":")" +
               number(ec.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32) + R"("}]})";
    }
    JwtVerifier verifier(config::JwtConfig config) {
        if (!config.enabled()) config.jwks_file = "keys.json";
        return JwtVerifier::make(std::move(config), jwks()).value();
    }
    static std::string why(const Result<TokenClaims>& result) {
        return result ? "was accepted" : result.error().message;
    }

    Key rsa{EVP_RSA_gen(2048)};
    Key ec{EVP_EC_gen("P-256")};
    const std::string good = R"({"azp":"app","oid":"ann","grp":42,"exp":1750000300})";
};

TEST_F(Jwt, EachAlgorithmNamesTheCaller) {
    config::JwtConfig config;
    config.jwks_file = "keys.json";
    config.secret = config::Secret(kSecret);
    config.user_claim = "oid";
    config.team_claim = "grp";
    const JwtVerifier v = verifier(config);
    for (const auto& token : {hs256(good), rs256(good), es256(good)}) {
        const auto claims = v.verify(token, kNow);
        ASSERT_TRUE(claims) << why(claims);
        EXPECT_EQ(claims->client, "app");
        EXPECT_EQ(claims->user, "ann");
        EXPECT_EQ(claims->team, "42");
    }
}

TEST_F(Jwt, AnotherKeyOrAChangedTokenIsRefused) {
    const JwtVerifier v = verifier({});
    std::string changed = rs256(good);
    changed[changed.find('.') + 5] ^= 1;
    EXPECT_FALSE(v.verify(changed, kNow));
    EXPECT_THAT(why(v.verify(rs256(good, R"({"alg":"RS256","kid":"other"})"), kNow)), HasSubstr("known key"));
    rsa.reset(EVP_RSA_gen(2048));
    EXPECT_THAT(why(v.verify(rs256(good), kNow)), HasSubstr("known key"));
    ec.reset(EVP_EC_gen("P-256"));
    EXPECT_THAT(why(v.verify(es256(good), kNow)), HasSubstr("known key"));
}

TEST_F(Jwt, TheAlgorithmMustFitTheKey) {
    const JwtVerifier v = verifier({});
    // A public key is no secret: neither its text nor an empty one verifies an HMAC.
    EXPECT_FALSE(v.verify(hs256(good, jwks()), kNow));
    EXPECT_FALSE(v.verify(hs256(good, ""), kNow));
    EXPECT_FALSE(v.verify(part(R"({"alg":"none"})", good) + ".", kNow));
    EXPECT_FALSE(v.verify(rs256(good, R"({"alg":"ES256"})"), kNow));
    EXPECT_FALSE(v.verify(es256(good, R"({"alg":"RS256"})"), kNow));
    EXPECT_FALSE(v.verify(rs256(good, R"({"kid":"r1"})"), kNow));
    EXPECT_THAT(why(v.verify(rs256(good, R"({"alg":"RS256","crit":["b64"]})"), kNow)),
                HasSubstr("extension"));
}

TEST_F(Jwt, TimesIssuerAndAudienceAreHeld) {
    config::JwtConfig config;
    config.secret = config::Secret(kSecret);
    config.issuer = "me";
    config.audience = "you";
    const auto v = JwtVerifier::make(config, {}).value();
    const auto result = [&](std::string_view claims) { return why(v.verify(hs256(claims), kNow)); };
    EXPECT_EQ(result(R"({"iss":"me","aud":"you","exp":1750000000.5})"), "was accepted");
    EXPECT_EQ(result(R"({"iss":"me","aud":["he","you"],"exp":1749999941})"), "was accepted");
    EXPECT_THAT(result(R"({"iss":"me","aud":"you","exp":1749999940})"), HasSubstr("expired"));
    EXPECT_THAT(result(R"({"iss":"me","aud":"you"})"), HasSubstr("expired"));
    EXPECT_THAT(result(R"({"iss":"me","aud":"you","exp":1750000001,"nbf":1750000061})"),
                HasSubstr("not valid yet"));
    EXPECT_EQ(result(R"({"iss":"me","aud":"you","exp":1750000001,"nbf":1750000060})"), "was accepted");
    EXPECT_THAT(result(R"({"iss":"me","aud":"you","exp":1750000001,"nbf":"1750000000"})"),
                HasSubstr("not valid yet"))
        << "a time that cannot be read is no time that has passed";
    EXPECT_THAT(result(R"({"iss":"he","aud":"you","exp":1750000001})"), HasSubstr("issuer"));
    EXPECT_THAT(result(R"({"iss":"me","aud":["he"],"exp":1750000001})"), HasSubstr("audience"));
    EXPECT_THAT(result(R"({"iss":"me","exp":1750000001})"), HasSubstr("audience"));
}

TEST_F(Jwt, MalformedTokensAreRefused) {
    config::JwtConfig config;
    config.secret = config::Secret(kSecret);
    const auto v = JwtVerifier::make(config, {}).value();
    for (const auto* token : {"", ".", "..", "a.b", "a.b.c", "a.b.c.d", "!.!.!", "e30.e30.", "AAAAA.e30.e30"})
        EXPECT_FALSE(v.verify(token, kNow)) << token;
    EXPECT_FALSE(v.verify(hs256("[1]"), kNow));
    EXPECT_FALSE(v.verify(hs256("{"), kNow));
    EXPECT_FALSE(v.verify(hs256(good, kSecret, "[]"), kNow));
    EXPECT_TRUE(ParsedToken::looks_like_token("a.b.c"));
    EXPECT_FALSE(ParsedToken::looks_like_token("sk-123"));
}

TEST_F(Jwt, KeySetsThatCannotServeAreRefused) {
    config::JwtConfig config;
    config.jwks_file = "keys.json";
    for (const auto* text : {"", "{}", "[]", R"({"keys":[]})", R"({"keys":[{"kty":"oct","k":"AA"}]})",
                             R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]})",
                             R"({"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]})"}) {
        const auto made = JwtVerifier::make(config, text);
        ASSERT_FALSE(made) << text;
        EXPECT_THAT(made.error().message, HasSubstr("keys.json"));
    }
}

TEST(Base64Url, DecodesExactly) {
    std::string out;
    EXPECT_TRUE(decode_base64url("", out));
    EXPECT_EQ(out, "");
    EXPECT_TRUE(decode_base64url("-_8", out));
    EXPECT_EQ(out, "\xfb\xff");
    EXPECT_FALSE(decode_base64url("A", out));
    EXPECT_FALSE(decode_base64url("AA==", out));
    EXPECT_FALSE(decode_base64url("AB", out));  // bits beyond the last byte
    EXPECT_FALSE(decode_base64url("A+/A", out));
}

}  // namespace
}  // namespace spillway::identity
