#include "identity/jose.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "identity/issuer_keys.hpp"
#include "identity/token_claims.hpp"

namespace spillway::identity {
namespace {

using testing::HasSubstr;

const Wall kNow(std::chrono::seconds(1'750'000'000));
constexpr std::string_view kInput = "eyJhbGciOiJ4In0.e30";

const unsigned char* bytes(std::string_view s) {
    return reinterpret_cast<const unsigned char*>(s.data());
}

std::string number(EVP_PKEY* key, const char* name, int size = 0) {
    BIGNUM* n = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &n), 1);
    std::string out(static_cast<std::size_t>(size == 0 ? BN_num_bytes(n) : size), '\0');
    BN_bn2binpad(n, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
    BN_free(n);
    return encode_base64url(out);
}

std::string sign(EVP_PKEY* key, const EVP_MD* digest, bool pss, std::string_view input) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* of_key = nullptr;
    EXPECT_EQ(EVP_DigestSignInit(context, &of_key, digest, nullptr, key), 1);
    if (pss) {
        EVP_PKEY_CTX_set_rsa_padding(of_key, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(of_key, RSA_PSS_SALTLEN_DIGEST);
    }
    std::size_t size = 0;
    EVP_DigestSign(context, nullptr, &size, bytes(input), input.size());
    std::string out(size, '\0');
    EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size, bytes(input),
                             input.size()),
              1);
    EVP_MD_CTX_free(context);
    out.resize(size);
    return out;
}

std::string raw_ecdsa(const std::string& der, int half) {
    const auto* p = bytes(der);
    ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &p, static_cast<long>(der.size()));
    std::string out(2 * static_cast<std::size_t>(half), '\0');
    auto* to = reinterpret_cast<unsigned char*>(out.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), to, half);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), to + half, half);
    ECDSA_SIG_free(signature);
    return out;
}

std::string ec_jwk(EVP_PKEY* key, const std::string& curve, int size) {
    return R"({"kty":"EC","crv":")" + curve + R"(","x":")" + number(key, OSSL_PKEY_PARAM_EC_PUB_X, size) +
           R"(","y":")" + number(key, OSSL_PKEY_PARAM_EC_PUB_Y, size) + R"("})";
}

std::string rsa_jwk(EVP_PKEY* key, const std::string& more = {}) {
    return R"({"kty":"RSA","e":"AQAB","n":")" + number(key, OSSL_PKEY_PARAM_RSA_N) + "\"" + more + "}";
}

KeySet set_of(const std::string& keys) {
    return KeySet::parse(R"({"keys":[)" + keys + "]}").value();
}

TEST(KeySet, RsaBothWays) {
    const KeyPtr key(EVP_RSA_gen(2048));
    const KeySet keys = set_of(rsa_jwk(key.get(), R"(,"kid":"a")"));
    for (const auto& [name, digest] :
         {std::pair("256", EVP_sha256()), std::pair("384", EVP_sha384()), std::pair("512", EVP_sha512())}) {
        const std::string rs = sign(key.get(), digest, false, kInput);
        const std::string ps = sign(key.get(), digest, true, kInput);
        EXPECT_TRUE(keys.verifies(std::string("RS") + name, "a", kInput, rs));
        EXPECT_TRUE(keys.verifies(std::string("PS") + name, "", kInput, ps));
        EXPECT_FALSE(keys.verifies(std::string("PS") + name, "a", kInput, rs));
        EXPECT_FALSE(keys.verifies(std::string("RS") + name, "a", kInput, ps));
        EXPECT_FALSE(keys.verifies(std::string("RS") + name, "b", kInput, rs));
        EXPECT_FALSE(keys.verifies(std::string("RS") + name, "a", "other", rs));
    }
    EXPECT_FALSE(keys.verifies("RS256", "a", kInput, sign(key.get(), EVP_sha512(), false, kInput)));
    EXPECT_TRUE(keys.has("a"));
    EXPECT_FALSE(keys.has("b"));
}

TEST(KeySet, AKeysOwnAlgorithmCounts) {
    const KeyPtr key(EVP_RSA_gen(2048));
    const KeySet keys = set_of(rsa_jwk(key.get(), R"(,"alg":"RS256")"));
    EXPECT_TRUE(keys.verifies("RS256", "", kInput, sign(key.get(), EVP_sha256(), false, kInput)));
    EXPECT_FALSE(keys.verifies("PS256", "", kInput, sign(key.get(), EVP_sha256(), true, kInput)));
}

TEST(KeySet, EllipticCurves) {
    struct Case {
        const char* curve;
        const char* group;
        const char* algorithm;
        const EVP_MD* digest;
        int half;
    };
    for (const Case& c : {Case{"P-256", "P-256", "ES256", EVP_sha256(), 32},
                          Case{"P-384", "P-384", "ES384", EVP_sha384(), 48},
                          Case{"P-521", "P-521", "ES512", EVP_sha512(), 66}}) {
        const KeyPtr key(EVP_EC_gen(c.group));
        const KeySet keys = set_of(ec_jwk(key.get(), c.curve, c.half));
        const std::string good = raw_ecdsa(sign(key.get(), c.digest, false, kInput), c.half);
        EXPECT_TRUE(keys.verifies(c.algorithm, "", kInput, good)) << c.curve;
        EXPECT_FALSE(keys.verifies(c.algorithm, "", "other", good)) << c.curve;
        EXPECT_FALSE(keys.verifies("RS256", "", kInput, good)) << c.curve;
        EXPECT_FALSE(keys.verifies(c.algorithm, "", kInput, good.substr(1))) << c.curve;
        for (const char* other : {"ES256", "ES384", "ES512"})
            if (std::string_view(other) != c.algorithm) {
                EXPECT_FALSE(keys.verifies(other, "", kInput, good)) << c.curve;
            }
    }
}

TEST(KeySet, Ed25519) {
    const KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    std::string x(32, '\0');
    std::size_t size = x.size();
    EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(x.data()), &size);
    const KeySet keys = set_of(R"({"kty":"OKP","crv":"Ed25519","x":")" + encode_base64url(x) + R"("})");
    const std::string good = sign(key.get(), nullptr, false, kInput);
    EXPECT_TRUE(keys.verifies("EdDSA", "", kInput, good));
    EXPECT_FALSE(keys.verifies("EdDSA", "", "other", good));
    EXPECT_FALSE(keys.verifies("none", "", kInput, ""));
    EXPECT_FALSE(keys.verifies("HS256", "", kInput, good));
}

TEST(Base64Url, ThereAndBack) {
    for (const std::string_view raw : {"", "a", "ab", "abc", "\xfb\xff\x00x"}) {
        std::string back;
        EXPECT_TRUE(decode_base64url(encode_base64url(raw), back));
        EXPECT_EQ(back, raw);
    }
}

std::string pem_of(EVP_PKEY* key, X509* certificate) {
    BIO* out = BIO_new(BIO_s_mem());
    if (certificate != nullptr) PEM_write_bio_X509(out, certificate);
    if (key != nullptr) PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(out);
    return text;
}

TEST(ClientAssertion, IsWhatEntraAsksFor) {
    const KeyPtr key(EVP_RSA_gen(2048));
    X509* certificate = X509_new();
    X509_set_pubkey(certificate, key.get());
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_sign(certificate, key.get(), EVP_sha256());
    const std::string pem = pem_of(key.get(), certificate);
    const std::string alone = pem_of(nullptr, certificate);
    X509_free(certificate);

    const auto token = client_assertion(pem, "", "cid", "https://login.example/t/oauth2/v2.0/token", kNow);
    ASSERT_TRUE(token);
    const auto parsed = ParsedToken::parse(*token).value();
    EXPECT_EQ(parsed.algorithm(), "PS256");
    EXPECT_TRUE(set_of(rsa_jwk(key.get())).verifies("PS256", "", parsed.signed_part(), parsed.signature()));
    std::string header;
    ASSERT_TRUE(decode_base64url(token->substr(0, token->find('.')), header));
    EXPECT_THAT(header, HasSubstr("\"x5t#S256\":\""));
    config::TokenPolicy policy;
    policy.issuers = {"cid"};
    policy.audiences = {"https://login.example/t/oauth2/v2.0/token"};
    policy.client_claims = {"sub"};
    EXPECT_EQ(parsed.check(policy, kNow).value().client, "cid");
    EXPECT_FALSE(parsed.check(policy, kNow + std::chrono::minutes(12)));

    EXPECT_TRUE(client_assertion(alone, pem_of(key.get(), nullptr), "cid", "a", kNow));
    const auto why = [](const auto& result) { return result ? std::string() : result.error().message; };
    EXPECT_THAT(why(client_assertion("x", "", "cid", "a", kNow)), HasSubstr("no PEM certificate"));
    EXPECT_THAT(why(client_assertion(alone, "", "cid", "a", kNow)), HasSubstr("no PEM key"));
    const KeyPtr other(EVP_RSA_gen(2048));
    EXPECT_THAT(why(client_assertion(alone, pem_of(other.get(), nullptr), "cid", "a", kNow)),
                HasSubstr("not the certificate's"));
}

ParsedToken token_with(const std::string& claims) {
    return ParsedToken::parse(encode_base64url(R"({"alg":"RS256"})") + "." + encode_base64url(claims) + ".AA")
        .value();
}

std::string who(const config::TokenPolicy& policy, const std::string& claims) {
    const auto result = token_with(R"({"exp":1750000300,)" + claims + "}").check(policy, kNow);
    if (!result) return result.error().message;
    return (result->client_by_name ? "=" : "") + result->client + "/" + result->user + "/" + result->team;
}

TEST(TokenPolicy, RequiredClaimsAndRules) {
    config::TokenPolicy policy;
    policy.client_claims = {"azp", "appid"};
    policy.user_claim = "oid";
    policy.team_claim = "dept";
    policy.require = {{"roles", {"Chat.User", "Chat.Admin"}}};
    policy.rules = {{{{"groups", {"g1"}}, {"tid", {"t1"}}}, "gold", "sales"},
                    {{{"scp", {"chat"}}}, "", "readers"}};
    EXPECT_EQ(who(policy, R"("azp":"a","oid":"u","dept":"d","roles":["Chat.User"])"), "a/u/d");
    EXPECT_EQ(who(policy, R"("appid":"v1","roles":"Chat.Admin")"), "v1//");
    EXPECT_EQ(who(policy, R"("azp":"v2","appid":"v1","roles":["Chat.Admin"])"), "v2//");
    EXPECT_THAT(who(policy, R"("azp":"a")"), HasSubstr("required"));
    EXPECT_THAT(who(policy, R"("azp":"a","roles":["Other"])"), HasSubstr("required"));
    EXPECT_EQ(who(policy, R"("azp":"a","roles":["Chat.User"],"groups":["g0","g1"],"tid":"t1")"),
              "=gold//sales");
    EXPECT_EQ(who(policy, R"("azp":"a","roles":["Chat.User"],"groups":["g1"],"tid":"t2")"), "a//");
    EXPECT_EQ(who(policy, R"("azp":"a","roles":["Chat.User"],"scp":"read chat","dept":"d")"), "a//readers");
}

TEST(Discovery, FindsTheKeysOfThatIssuerAlone) {
    config::IssuerConfig issuer;
    issuer.issuer = "https://login.example/t/v2.0";
    EXPECT_EQ(discovery_url(issuer), "https://login.example/t/v2.0/.well-known/openid-configuration");
    const auto read = [&](std::string_view json) {
        const auto url = endpoint_in(json, issuer, "jwks_uri");
        return url ? *url : url.error().message;
    };
    EXPECT_EQ(read(R"({"issuer":"https://login.example/t/v2.0","jwks_uri":"https://login.example/keys"})"),
              "https://login.example/keys");
    EXPECT_EQ(read(R"({"issuer":"https://login.example/t/v2.0","jwks_uri":"http://127.0.0.1:1/keys?x=1"})"),
              "http://127.0.0.1:1/keys?x=1");
    EXPECT_THAT(read(R"({"issuer":"https://evil.example","jwks_uri":"https://login.example/keys"})"),
                HasSubstr("another issuer"));
    EXPECT_THAT(read(R"({"issuer":"https://login.example/t/v2.0","jwks_uri":"http://login.example/keys"})"),
                HasSubstr("https"));
    EXPECT_THAT(read(R"({"issuer":"https://login.example/t/v2.0"})"), HasSubstr("jwks_uri"));
    EXPECT_THAT(read("<html>"), HasSubstr("JSON"));
}

}  // namespace
}  // namespace spillway::identity
