#include "identity/login_flow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "identity/jose.hpp"

namespace spillway::identity {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const Wall kNow(1'750'000'000s);
constexpr std::string_view kMetadata = R"({
  "issuer": "https://login.example/tenant",
  "authorization_endpoint": "https://login.example/authorize?p=1",
  "token_endpoint": "https://login.example/token",
  "jwks_uri": "https://login.example/keys"})";

config::AdminOidcConfig settings() {
    config::AdminOidcConfig out;
    out.provider.issuer = "https://login.example/tenant";
    out.client_id = "spillway";
    out.client_secret = config::Secret("client secret/+");
    out.public_url = "https://gateway.example/spill";
    out.scopes = {"openid", "email"};
    return out;
}

LoginFlow flow(std::string return_to = "/") {
    std::array<unsigned char, kFlowRandom> random{};
    std::iota(random.begin(), random.end(), static_cast<unsigned char>(1));
    return begin_flow(std::move(return_to), random, kNow);
}

ParsedToken token(const std::string& claims) {
    const std::string text =
        encode_base64url(R"({"alg":"RS256"})") + '.' + encode_base64url(claims) + ".c2ln";
    static std::string kept;  // the token views it
    kept = text;
    return ParsedToken::parse(kept).value();
}

TEST(LoginFlow, HasThreeSecretsOfItsOwnAndEnds) {
    const LoginFlow one = flow("/#usage?range=24h");
    EXPECT_GE(one.verifier.size(), 43U) << "RFC 7636 §4.1";
    EXPECT_NE(one.state, one.nonce);
    EXPECT_NE(one.nonce, one.verifier);
    const auto read = read_flow(write_flow(one), kNow + kFlowLife - 1s);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->state, one.state);
    EXPECT_EQ(read->nonce, one.nonce);
    EXPECT_EQ(read->verifier, one.verifier);
    EXPECT_EQ(read->return_to, "/#usage?range=24h");
    EXPECT_FALSE(read_flow(write_flow(one), kNow + kFlowLife));
    EXPECT_FALSE(read_flow("{}", kNow));
    EXPECT_FALSE(read_flow("rubbish", kNow));
    EXPECT_FALSE(read_flow(R"({"ends":9999999999,"state":"","nonce":"n","verifier":"v"})", kNow));
}

TEST(LoginFlow, ReturnsToNoOtherHost) {
    for (const char* good : {"/", "/?a=b#usage?range=24h&find=a%26b", "/#live", "/a//b"})
        EXPECT_TRUE(is_return_path(good)) << good;
    for (const char* bad : {"", "//evil.example", "/\\evil.example", "https://evil.example/", "evil.example",
                            "javascript:alert(1)", "\\\\evil.example", "/a\r\nset-cookie: x=y", "/a b",
                            "/\t/evil.example", "/caf\xc3\xa9"})
        EXPECT_FALSE(is_return_path(bad)) << bad;
    EXPECT_FALSE(is_return_path("/" + std::string(2000, 'a')));
}

TEST(LoginFlow, TheProvidersMetadataIsItsOwnAndSafe) {
    const auto issuer = settings().provider;
    const auto found = parse_provider(kMetadata, issuer);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->authorization_url, "https://login.example/authorize?p=1");
    EXPECT_EQ(found->token_url, "https://login.example/token");
    EXPECT_TRUE(found->basic) << "the default of OpenID Connect Discovery";
    const auto with = [&](std::string_view from, std::string_view to) {
        std::string text(kMetadata);
        text.replace(text.find(from), from.size(), to);
        return parse_provider(text, issuer);
    };
    const std::string_view keys = "\"jwks_uri\"";
    EXPECT_FALSE(
        with(keys, R"("token_endpoint_auth_methods_supported": ["client_secret_post"], "jwks_uri")")->basic);
    EXPECT_TRUE(
        with(
            keys,
            R"("token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"], "jwks_uri")")
            ->basic);
    EXPECT_THAT(with("login.example/tenant", "evil.example").error().message, HasSubstr("another issuer"));
    EXPECT_THAT(with("https://login.example/token", "http://login.example/token").error().message,
                HasSubstr("token_endpoint is no https URL"));
    EXPECT_THAT(with("authorize?p=1", "authorize?p=\\r\\nx: y").error().message,
                HasSubstr("authorization_endpoint is no https URL"));
    EXPECT_THAT(with("token_endpoint", "other").error().message, HasSubstr("names no token_endpoint"));
    EXPECT_FALSE(parse_provider("[]", issuer));
}

TEST(LoginFlow, AsksForACodeWithPkce) {
    const auto provider = parse_provider(kMetadata, settings().provider).value();
    LoginFlow one = flow();
    one.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";  // RFC 7636, appendix B
    const std::string url = authorization_url(provider, settings(), one);
    EXPECT_THAT(url, testing::StartsWith("https://login.example/authorize?p=1&response_type=code&"));
    EXPECT_THAT(url, HasSubstr("&client_id=spillway&"));
    EXPECT_THAT(url, HasSubstr("&redirect_uri=https%3A%2F%2Fgateway.example%2Fspill%2Flogin%2Fcallback&"));
    EXPECT_THAT(url, HasSubstr("&scope=openid%20email&"));
    EXPECT_THAT(url, HasSubstr("&state=" + one.state + "&nonce=" + one.nonce));
    EXPECT_THAT(url, HasSubstr("&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    EXPECT_THAT(url, HasSubstr("&code_challenge_method=S256"));
    EXPECT_THAT(url, Not(HasSubstr(one.verifier)));
}

TEST(LoginFlow, ExchangesTheCodeAsTheClientIsRegistered) {
    auto provider = parse_provider(kMetadata, settings().provider).value();
    const LoginFlow one = flow();
    const auto basic = code_request(provider, settings(), one, "co/de");
    EXPECT_EQ(basic.url, "https://login.example/token");
    EXPECT_THAT(basic.body,
                HasSubstr("grant_type=authorization_code&code=co%2Fde&redirect_uri=https%3A%2F%2F"));
    EXPECT_THAT(basic.body, HasSubstr("&code_verifier=" + one.verifier));
    EXPECT_THAT(basic.body, Not(HasSubstr("client_secret")));
    // base64 of "spillway:client%20secret%2F%2B"
    EXPECT_THAT(basic.headers, testing::Contains(testing::Pair(
                                   "Authorization", "Basic c3BpbGx3YXk6Y2xpZW50JTIwc2VjcmV0JTJGJTJC")));
    provider.basic = false;
    const auto post = code_request(provider, settings(), one, "c");
    EXPECT_THAT(post.body, HasSubstr("&client_id=spillway&client_secret=client%20secret%2F%2B"));
    EXPECT_EQ(post.headers.size(), 2U);
    provider.basic = true;
    auto open = settings();
    open.client_secret = {};
    const auto none = code_request(provider, open, one, "c");
    EXPECT_THAT(none.body, testing::EndsWith("&client_id=spillway"));
    EXPECT_EQ(none.headers.size(), 2U);
}

TEST(LoginFlow, TakesTheAnswerToItsOwnQuestionAlone) {
    const LoginFlow one = flow();
    const auto settings_ = settings();
    const auto why = [&](LoginAnswer answer) {
        const auto checked = check_answer(answer, one, settings_);
        return checked ? std::string() : checked.error().message;
    };
    EXPECT_EQ(why({"code", one.state, "", "", ""}), "");
    EXPECT_EQ(why({"code", one.state, "https://login.example/tenant", "", ""}), "");
    EXPECT_THAT(why({"code", "other", "", "", ""}), HasSubstr("another log-in"));
    EXPECT_THAT(why({"code", "", "", "", ""}), HasSubstr("another log-in"));
    EXPECT_THAT(why({"code", one.state, "https://evil.example", "", ""}), HasSubstr("another provider"));
    EXPECT_THAT(why({"", one.state, "", "", ""}), HasSubstr("no code"));
    EXPECT_EQ(why({"", one.state, "", "access_denied", "not\r\ntoday"}),
              "The provider says: access_denied: not  today");
    EXPECT_THAT(why({"", "other", "", "access_denied", ""}), HasSubstr("another log-in"));
}

TEST(LoginFlow, ReadsTheTokenOrTheTrueCause) {
    EXPECT_EQ(parse_id_token(200, R"({"access_token":"a","id_token":"x.y.z"})").value(), "x.y.z");
    EXPECT_EQ(
        parse_id_token(400, R"({"error":"invalid_grant","error_description":"expired"})").error().message,
        "HTTP 400: invalid_grant: expired");
    EXPECT_EQ(parse_id_token(502, "<html>").error().message, "HTTP 502 without JSON");
    EXPECT_EQ(parse_id_token(500, "{}").error().message, "HTTP 500");
    const std::string none = parse_id_token(200, R"({"access_token":"secret-1"})").error().message;
    EXPECT_THAT(none, HasSubstr("no id_token"));
    EXPECT_THAT(none, Not(HasSubstr("secret-1")));
}

TEST(LoginFlow, TheIdTokenIsOfThisFlowAndForThisClient) {
    const LoginFlow one = flow();
    const auto why = [&](const std::string& more) {
        const auto checked = check_id_token(token("{" + more + "}"), settings(), one);
        return checked ? std::string() : checked.error().message;
    };
    const std::string nonce = R"("nonce":")" + one.nonce + "\"";
    EXPECT_EQ(why(nonce + R"(,"sub":"1","aud":"spillway")"), "");
    EXPECT_EQ(why(nonce + R"(,"sub":"1","aud":["spillway"])"), "");
    EXPECT_EQ(why(nonce + R"(,"sub":"1","aud":["spillway","b"],"azp":"spillway")"), "");
    EXPECT_THAT(why(R"("sub":"1","aud":"spillway")"), HasSubstr("nonce"));
    EXPECT_THAT(why(R"("nonce":"other","sub":"1","aud":"spillway")"), HasSubstr("nonce"));
    EXPECT_THAT(why(nonce + R"(,"sub":"1","aud":["spillway","b"])"), HasSubstr("azp"));
    EXPECT_THAT(why(nonce + R"(,"sub":"1","aud":"spillway","azp":"b")"), HasSubstr("azp"));
    EXPECT_THAT(why(nonce + R"(,"aud":"spillway")"), HasSubstr("sub"));
}

}  // namespace
}  // namespace spillway::identity
