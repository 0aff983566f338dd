// The setting `auth`, and what it takes from the environment.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/aca_env.hpp"
#include "config/backend_auth.hpp"
#include "config/fake_sources.hpp"
#include "config/yaml.hpp"

namespace spillway::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Env = Texts;

Loaded<GatewayConfig> load(const std::string& auth, const Env& env = {}) {
    return load_gateway("backends: [{url: \"https://one.openai.azure.com\", auth: " + auth + "}]", "g.yaml",
                        fake_sources(env));
}

BackendAuth auth_of(const std::string& auth, const Env& env = {}) {
    const auto loaded = load(auth, env);
    EXPECT_EQ(to_string(loaded.problems), "");
    return loaded.ok() ? loaded.value->backends.front().auth : BackendAuth{};
}

std::string problem_of(const std::string& auth, const Env& env = {}) {
    return to_string(load(auth, env).problems);
}

const Env kApplication{{"AZURE_CLIENT_ID", "cid"}, {"AZURE_TENANT_ID", "tid"}};

Env with(Env env, const Env& more) {
    env.insert(more.begin(), more.end());
    return env;
}

TEST(Auth, AKindAloneOrAMap) {
    EXPECT_FALSE(auth_of("key, api_key: backend-key-1").uses_tokens());
    const auto short_form = auth_of("managed_identity");
    EXPECT_THAT(short_form.sources, ElementsAre(AuthKind::managed_identity));
    EXPECT_EQ(short_form.client_id, "");
    EXPECT_EQ(short_form.metadata_host, kMetadataHost);
    const auto map = auth_of("{kind: managed_identity, client_id: mine}", kApplication);
    EXPECT_EQ(map.client_id, "mine");
    EXPECT_EQ(map.scope, kAzureOpenAiScope);
    EXPECT_EQ(auth_of("managed_identity", kApplication).client_id, "");  // the system's
}

TEST(Auth, EntraIsTheFirstThatIsThere) {
    const auto sources = [](const Env& env) { return auth_of("entra", env).sources; };
    EXPECT_THAT(sources({}), ElementsAre(AuthKind::managed_identity, AuthKind::azure_cli));
    EXPECT_THAT(sources(kApplication), ElementsAre(AuthKind::managed_identity, AuthKind::azure_cli));
    const Env federated = with(kApplication, {{"AZURE_FEDERATED_TOKEN_FILE", "/var/run/token"}});
    EXPECT_THAT(sources(federated), ElementsAre(AuthKind::workload_identity));
    const Env certificate = with(federated, {{"AZURE_CLIENT_CERTIFICATE_PATH", "/c.pem"}});
    EXPECT_THAT(sources(certificate), ElementsAre(AuthKind::client_certificate));
    EXPECT_THAT(sources(with(certificate, {{"AZURE_CLIENT_SECRET", "s"}})),
                ElementsAre(AuthKind::client_secret));
    const auto app_service =
        auth_of("entra", {{"IDENTITY_ENDPOINT", "http://localhost:1/msi"}, {"IDENTITY_HEADER", "h"}});
    EXPECT_THAT(app_service.sources, ElementsAre(AuthKind::managed_identity));
    EXPECT_EQ(app_service.identity_endpoint, "http://localhost:1/msi");
    EXPECT_EQ(auth_of("entra", kApplication).client_id, "cid");
}

TEST(Auth, AuthorityAndScopeCanBeSet) {
    const auto secret = with(kApplication, {{"AZURE_CLIENT_SECRET", "s"}});
    EXPECT_EQ(auth_of("client_secret", secret).authority, kPublicAuthority);
    EXPECT_EQ(auth_of("client_secret", with(secret, {{"AZURE_AUTHORITY_HOST", "login.chinacloudapi.cn/"}}))
                  .authority,
              "https://login.chinacloudapi.cn");
    const auto other = auth_of(
        "{kind: client_secret, token_url: 'https://issuer.example/token', client_id: a, "
        "client_secret: b}");
    EXPECT_EQ(other.scope, "");
    EXPECT_EQ(other.token_url, "https://issuer.example/token");
}

TEST(Auth, ProblemsSayWhatIsNeeded) {
    EXPECT_THAT(problem_of("client_secret"),
                testing::AllOf(HasSubstr("client_id is needed, here or in AZURE_CLIENT_ID"),
                               HasSubstr("tenant is needed"), HasSubstr("client_secret is needed")));
    EXPECT_THAT(problem_of("workload_identity", kApplication), HasSubstr("AZURE_FEDERATED_TOKEN_FILE"));
    EXPECT_THAT(problem_of("{kind: client_certificate}", kApplication), HasSubstr("certificate_file"));
    EXPECT_THAT(problem_of("managed"), HasSubstr("managed_identity"));
    EXPECT_THAT(problem_of("entra", {{"IDENTITY_ENDPOINT", "http://localhost:1"}}), HasSubstr("Azure Arc"));
    EXPECT_THAT(problem_of("{kind: client_secret, token_url: 'http://issuer.example/token'}"),
                HasSubstr("is not https"));
    const auto both = load_gateway(
        "backends: [{url: \"https://one.openai.azure.com\", api_key: k, auth: managed_identity}]", "g.yaml",
        fake_sources({}));
    EXPECT_THAT(to_string(both.problems), HasSubstr("besides api_key"));
}

TEST(Auth, AcaEnvironmentWithoutAKeyUsesTheIdentity) {
    const auto loaded = load_aca_env(fake_sources({{"BACKEND_1_URL", "https://one.openai.azure.com"},
                                                   {"BACKEND_1_PRIORITY", "1"},
                                                   {"BACKEND_2_URL", "https://two.openai.azure.com"},
                                                   {"BACKEND_2_PRIORITY", "1"},
                                                   {"BACKEND_2_APIKEY", "k"}}));
    ASSERT_TRUE(loaded.ok());
    EXPECT_EQ(loaded.value->backends[0].auth.kind, AuthKind::entra);
    EXPECT_FALSE(loaded.value->backends[1].auth.uses_tokens());
}

constexpr std::string_view kIssuer = R"(
backends: [{url: "https://one.openai.azure.com", auth: managed_identity}]
clients: [{name: gold, claim: x}]
identity:
  issuers:
    - issuer: https://login.microsoftonline.com/T/v2.0
      audiences: [api://spillway]
      require: {roles: [a, b], tid: T}
      rules: [{when: {groups: g}, client: gold, team: sales}]
)";

TEST(Issuers, AreReadWithTheirRules) {
    const auto loaded = load_gateway(kIssuer, "g.yaml", fake_sources({}));
    EXPECT_EQ(to_string(loaded.problems), "");
    ASSERT_TRUE(loaded.ok());
    const IssuerConfig& issuer = loaded.value->identity.issuers.at(0);
    EXPECT_THAT(issuer.policy.issuers,
                ElementsAre("https://login.microsoftonline.com/T/v2.0", "https://sts.windows.net/T/"));
    EXPECT_THAT(issuer.policy.client_claims, ElementsAre("azp", "appid"));
    EXPECT_THAT(issuer.policy.require.at("roles"), ElementsAre("a", "b"));
    EXPECT_THAT(issuer.policy.require.at("tid"), ElementsAre("T"));
    EXPECT_EQ(issuer.policy.rules.at(0).client, "gold");
}

TEST(Issuers, ProblemsSayWhatIsNeeded) {
    const auto problems = [](std::string text, std::string_view from, std::string_view to) {
        text.replace(text.find(from), from.size(), to);
        return to_string(load_gateway(text, "g.yaml", fake_sources({})).problems);
    };
    const std::string good(kIssuer);
    EXPECT_THAT(problems(good, "audiences: [api://spillway]", ""), HasSubstr("needs audiences"));
    EXPECT_THAT(problems(good, "https://login", "http://login"), HasSubstr("is not https"));
    EXPECT_THAT(problems(good, "client: gold", "client: lead"), HasSubstr("names the client lead"));
    EXPECT_THAT(problems(good, "{groups: g}", "{groups: {}}"), HasSubstr("claim"));
}

}  // namespace
}  // namespace spillway::config
