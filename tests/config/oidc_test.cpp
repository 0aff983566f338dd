// Settings of the log-in to the admin plane.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/describe.hpp"
#include "config/fake_sources.hpp"
#include "config/yaml.hpp"

namespace spillway::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kGood =
    "issuer: https://login.example/t, client_id: spillway, client_secret: a-client-secret, "
    "public_url: \"https://Gateway.example:443/spill/\", roles: {admin: {groups: [a, b]}, viewer: {dept: "
    "it}}";

Loaded<GatewayConfig> load(const std::string& oidc, const std::string& admin = "") {
    return load_gateway(
        "backends: [{url: \"https://one.openai.azure.com\", api_key: k-12345678}]\n"
        "clients: [{name: c, key: k-23456789}]\n"
        "admin: {" +
            admin + "oidc: {" + oidc + "}}",
        "g.yaml", fake_sources({{"KEY", std::string(32, 'k')}}));
}

std::string problem_of(const std::string& oidc) {
    return to_string(load(oidc).problems);
}

TEST(Oidc, HasAllThatALogInNeeds) {
    const auto loaded = load(kGood + ", session_key_env: KEY", "listen: \"0.0.0.0:8081\", ");
    EXPECT_EQ(to_string(loaded.problems), "") << "with a log-in the listener may be open to others";
    ASSERT_TRUE(loaded.ok());
    ASSERT_TRUE(loaded.value->admin.oidc);
    EXPECT_FALSE(loaded.value->admin.is_open());
    const AdminOidcConfig& oidc = *loaded.value->admin.oidc;
    EXPECT_EQ(oidc.public_url, "https://gateway.example/spill");
    EXPECT_EQ(oidc.origin(), "https://gateway.example");
    EXPECT_TRUE(oidc.https());
    EXPECT_THAT(oidc.scopes, ElementsAre("openid", "profile", "email"));
    EXPECT_THAT(oidc.provider.policy.issuers, ElementsAre("https://login.example/t"));
    EXPECT_THAT(oidc.provider.policy.audiences, ElementsAre("spillway"));
    EXPECT_EQ(oidc.roles.manage, (ClaimConditions{{"groups", {"a", "b"}}}));
    EXPECT_EQ(oidc.roles.viewer, (ClaimConditions{{"dept", {"it"}}}));
    EXPECT_TRUE(oidc.roles.operate.empty());
    EXPECT_EQ(oidc.session, std::chrono::hours(8));
    const std::string shown = describe(*loaded.value);
    EXPECT_THAT(shown, HasSubstr("public_url: https://gateway.example/spill"));
    EXPECT_THAT(shown, Not(HasSubstr("a-client-secret")));
    EXPECT_THAT(shown, Not(HasSubstr("kkkk")));
}

TEST(Oidc, SaysWhatIsMissingAndWhere) {
    const std::string none = problem_of("issuer: https://login.example");
    for (const char* what : {"needs a client_id", "needs a public_url", "needs roles"})
        EXPECT_THAT(none, HasSubstr(std::string("admin.oidc: ") + what));
    EXPECT_THAT(problem_of("client_id: c"), HasSubstr("needs an issuer"));
    const auto with = [](const std::string& from, const std::string& to) {
        std::string text = kGood;
        return problem_of(text.replace(text.find(from), from.size(), to));
    };
    EXPECT_THAT(with("https://login", "http://login"), HasSubstr("g.yaml:3:"));
    EXPECT_THAT(with("https://login", "http://login"), HasSubstr("admin.oidc.issuer: is not https"));
    EXPECT_THAT(with("https://Gateway", "http://Gateway"),
                HasSubstr("admin.oidc.public_url: is not https: sessions could be read on the way"));
    EXPECT_EQ(with("https://Gateway.example:443", "http://localhost:8081"), "");
    EXPECT_THAT(with("viewer: {dept: it}", "viewer: {}"), HasSubstr("admin.oidc.roles.viewer: needs claims"));
    EXPECT_THAT(with("viewer: {dept: it}", "boss: {dept: it}"), HasSubstr("admin.oidc.roles.boss"));
    EXPECT_THAT(with("dept: it", "dept: []"),
                HasSubstr("admin.oidc.roles.viewer.dept: expected a claim's name"));
    EXPECT_THAT(problem_of(kGood + ", scopes: [email]"), HasSubstr("admin.oidc.scopes: must have openid"));
    EXPECT_THAT(problem_of(kGood + ", session: 90d"), HasSubstr("admin.oidc.session"));
    EXPECT_THAT(problem_of(kGood + ", session_key: short-one"),
                HasSubstr("admin.oidc.session_key: is too short: at least 32 characters are needed"));
    EXPECT_THAT(problem_of(kGood + ", secret: x"), HasSubstr("admin.oidc.secret"));
}

}  // namespace
}  // namespace spillway::config
