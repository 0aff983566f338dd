#include "identity/azure_token.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway::identity {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

const Wall kNow{1'700'000'000s};
constexpr std::string_view kScope = "https://cognitiveservices.azure.com/.default";
const std::string_view kResource = resource_of(kScope);

TEST(TokenRequest, ForAVirtualMachine) {
    const TokenRequest r = imds_token_request("http://169.254.169.254", kResource, "");
    EXPECT_EQ(r.method, "GET");
    EXPECT_EQ(r.url,
              "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"
              "&resource=https%3A%2F%2Fcognitiveservices.azure.com");
    EXPECT_THAT(r.headers, ElementsAre(Pair("Metadata", "true")));
    EXPECT_EQ(r.body, "");
    EXPECT_THAT(imds_token_request("http://localhost:1", kResource, "id 1").url,
                testing::AllOf(testing::StartsWith("http://localhost:1/metadata/"),
                               testing::EndsWith("&client_id=id%201")));
}

TEST(TokenRequest, ForAppService) {
    const TokenRequest r =
        app_service_token_request("http://localhost:4141/msi/token/", "SECRET", kResource, "cid");
    EXPECT_EQ(r.method, "GET");
    EXPECT_EQ(r.url,
              "http://localhost:4141/msi/token/?api-version=2019-08-01"
              "&resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=cid");
    EXPECT_THAT(r.headers, ElementsAre(Pair("X-IDENTITY-HEADER", "SECRET")));
    EXPECT_THAT(app_service_token_request("http://h/t?a=1", "s", kResource, "").url,
                HasSubstr("?a=1&api-version="));
}

TEST(TokenRequest, WithAnAssertion) {
    const TokenRequest r = assertion_token_request(
        entra_token_url("https://login.microsoftonline.com/", "tenant"), "cid", "ey.J+w/t\n", kScope);
    EXPECT_EQ(r.method, "POST");
    EXPECT_EQ(r.url, "https://login.microsoftonline.com/tenant/oauth2/v2.0/token");
    EXPECT_THAT(r.headers, Contains(Pair("Content-Type", "application/x-www-form-urlencoded")));
    EXPECT_EQ(r.body,
              "grant_type=client_credentials&client_id=cid"
              "&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default"
              "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
              "&client_assertion=ey.J%2Bw%2Ft");
}

TEST(TokenRequest, WithASecret) {
    const TokenRequest r = secret_token_request("https://issuer.example/token", "cid", "a&b=c", "");
    EXPECT_EQ(r.url, "https://issuer.example/token");
    EXPECT_EQ(r.body, "grant_type=client_credentials&client_id=cid&client_secret=a%26b%3Dc");
}

TEST(TokenAnswer, OfTheAzureCli) {
    const Token t =
        parse_token_answer(R"({"accessToken":"eyJ0","expiresOn":"2023-11-14 23:13:20.000000",)"
                           R"("expires_on":1700003600,"subscription":"s","tenant":"t","tokenType":"Bearer"})",
                           kNow)
            .value();
    EXPECT_EQ(t.value, "eyJ0");
    EXPECT_EQ(t.expires, kNow + 3600s);
}

TEST(TokenAnswer, OfAVirtualMachineSpellsNumbersAsStrings) {
    const Token t =
        parse_token_answer(
            R"({"access_token":"eyJ0","client_id":"c","expires_in":"3599","expires_on":"1700003599",)"
            R"("ext_expires_in":"3599","not_before":"1699999999","resource":"r","token_type":"Bearer"})",
            kNow)
            .value();
    EXPECT_EQ(t.value, "eyJ0");
    EXPECT_EQ(t.expires, kNow + 3599s);
    EXPECT_EQ(t.refresh_at, kNow + 3299s);
}

TEST(TokenAnswer, OfAppServiceHasExpiresOnAlone) {
    const Token t =
        parse_token_answer(
            R"({"access_token":"eyJ0","expires_on":"1700086400","resource":"r","token_type":"Bearer"})", kNow)
            .value();
    EXPECT_EQ(t.expires, kNow + 86400s);
    EXPECT_EQ(t.refresh_at, kNow + 43200s);  // long-lived: at half
}

TEST(TokenAnswer, OfEntraHasExpiresInAsANumber) {
    const Token t =
        parse_token_answer(
            R"({"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"eyJ0"})", kNow)
            .value();
    EXPECT_EQ(t.expires, kNow + 3599s);
}

TEST(TokenAnswer, TheEarlierEndCounts) {
    const auto expires = [](std::string_view in, std::string_view on) {
        return parse_token_answer(std::string(R"({"access_token":"t","expires_in":)") + std::string(in) +
                                      R"(,"expires_on":)" + std::string(on) + "}",
                                  kNow)
                   .value()
                   .expires -
               kNow;
    };
    EXPECT_EQ(expires("1000", "1700002000"), 1000s);
    EXPECT_EQ(expires("3000", "1700002000"), 2000s);
    EXPECT_EQ(expires("\"soon\"", "1700002000"), 2000s);
    EXPECT_EQ(expires("-1", "1700002000"), 2000s);
}

TEST(TokenAnswer, RefreshFollowsTheServersAdviceAndTheLife) {
    const auto refresh = [](std::string_view fields) {
        return parse_token_answer(R"({"access_token":"t",)" + std::string(fields) + "}", kNow)
                   .value()
                   .refresh_at -
               kNow;
    };
    EXPECT_EQ(refresh(R"("expires_in":86400,"refresh_in":"40000")"), 40000s);
    EXPECT_EQ(refresh(R"("expires_in":3600,"refresh_in":5000)"), 3300s);  // past the end: no advice
    EXPECT_EQ(refresh(R"("expires_in":7200)"), 3600s);
    EXPECT_EQ(refresh(R"("expires_in":7199)"), 6899s);
    EXPECT_EQ(refresh(R"("expires_in":60)"), 30s);
}

TEST(TokenAnswer, HugeLivesDoNotOverflow) {
    for (const char* body :
         {R"({"access_token":"t","expires_in":1e300})",
          R"({"access_token":"t","expires_on":"99999999999999999"})",
          R"({"access_token":"t","expires_in":18446744073709551615,"refresh_in":1e300})"}) {
        const auto t = parse_token_answer(body, kNow);
        ASSERT_TRUE(t) << body;
        EXPECT_GT(t->expires, kNow + 24h * 365 * 100) << body;
        EXPECT_GT(t->refresh_at, kNow) << body;
    }
}

TEST(TokenAnswer, ErrorsSayWhy) {
    const auto error = [](std::string_view body) {
        const auto t = parse_token_answer(body, kNow);
        return t ? std::string("no error") : t.error().message;
    };
    EXPECT_THAT(error(R"({"error":"invalid_client","error_description":"AADSTS7000215: bad"})"),
                HasSubstr("invalid_client: AADSTS7000215"));
    EXPECT_THAT(error(""), HasSubstr("JSON"));
    EXPECT_THAT(error("<html>"), HasSubstr("JSON"));
    EXPECT_THAT(error("[1]"), HasSubstr("JSON"));
    EXPECT_THAT(error("{}"), HasSubstr("no access_token"));
    EXPECT_THAT(error(R"({"access_token":7,"expires_in":1})"), HasSubstr("no access_token"));
    EXPECT_THAT(error(R"({"access_token":"t"})"), HasSubstr("neither"));
    EXPECT_THAT(error(R"({"access_token":"t","expires_in":0})"), HasSubstr("expired"));
    EXPECT_THAT(error(R"({"access_token":"t","expires_on":1})"), HasSubstr("expired"));
    const std::string injected = error("{\"access_token\":\"SECRET\\r\\nX: y\",\"expires_in\":60}");
    EXPECT_THAT(injected, HasSubstr("visible ASCII"));
    EXPECT_THAT(injected, Not(HasSubstr("SECRET")));
}

}  // namespace
}  // namespace spillway::identity
