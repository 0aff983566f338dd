// Each sample becomes a file that `check` takes, without a secret of its own in it or in a note.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "migrate/conversion.hpp"

namespace spillway::migrate {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

std::string sample(const std::string& name) {
    std::ifstream in(std::string(SPILLWAY_SOURCE_DIR) + "/tests/migrate/samples/" + name);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
}

const config::BackendConfig& backend(const config::GatewayConfig& config, std::string_view name) {
    static const config::BackendConfig none;
    const auto at = std::find_if(config.backends.begin(), config.backends.end(),
                                 [&](const auto& b) { return b.name == name; });
    EXPECT_NE(at, config.backends.end()) << name;
    return at == config.backends.end() ? none : *at;
}

auto note(int line, const std::string& key, const std::string& message) {
    return AllOf(Field(&Note::line, line), Field(&Note::key, key), Field(&Note::message, HasSubstr(message)));
}

void expect_none(const Converted& c, std::initializer_list<std::string_view> secrets) {
    for (const auto secret : secrets) {
        EXPECT_THAT(c.yaml, Not(HasSubstr(std::string(secret))));
        for (const auto& n : c.notes) EXPECT_THAT(n.message + n.key, Not(HasSubstr(std::string(secret))));
    }
}

TEST(Migrate, LiteLlmConfig) {
    const auto c = converted(sample("litellm.yaml"));
    EXPECT_EQ(c.kind, Kind::litellm);
    expect_none(c, {"sk-literal-azure", "sk-master-literal", "secretpw", "sk-lf-secret"});
    const auto config = loaded(c.yaml);

    const auto& eu = backend(config, "eu-provisioned");
    EXPECT_EQ(eu.url.host, "contoso-eu.openai.azure.com");
    EXPECT_EQ(eu.api_key.reveal(), "value-of-AZURE_EU_KEY");
    EXPECT_EQ(eu.priority, 1U);
    EXPECT_EQ(eu.weight, 3U);
    EXPECT_EQ(eu.tpm, 120000U);
    EXPECT_EQ(eu.rpm, 720U);
    EXPECT_EQ(eu.timeouts.first_token, std::chrono::seconds(20));
    EXPECT_EQ(eu.timeouts.stall, std::chrono::seconds(120));
    EXPECT_EQ(resolve_deployment(eu, "gpt-4o"), "gpt-4o-eu");
    EXPECT_EQ(resolve_deployment(eu, "gpt-4"), "gpt-4o-eu") << "an alias of the group";

    const auto& us = backend(config, "contoso-us");
    EXPECT_EQ(us.url.base_path, "") << "cut where the resource begins";
    EXPECT_EQ(us.priority, 2U);
    EXPECT_EQ(us.tpm, 60000U);
    EXPECT_THAT(us.models, Contains("embeddings")) << "two entries of one resource are one backend";
    EXPECT_EQ(resolve_deployment(us, "embeddings"), "text-embedding-3-small");

    EXPECT_EQ(backend(config, "openai").kind, config::BackendKind::openai);
    const auto fallback = std::find_if(config.backends.begin(), config.backends.end(),
                                       [](const auto& b) { return b.priority == 3; });
    ASSERT_NE(fallback, config.backends.end()) << "fallbacks come after all others";
    EXPECT_EQ(resolve_deployment(*fallback, "gpt-4o"), "gpt-4o-mini");
    EXPECT_EQ(config.retry.max_attempts, 3U);
    EXPECT_EQ(config.retry.default_cool_down, std::chrono::seconds(30));
    EXPECT_EQ(config.limits.request_timeout, std::chrono::seconds(300));
    EXPECT_EQ(config.redis.host, "cache.contoso.example");
    EXPECT_TRUE(config.redis.tls);
    EXPECT_EQ(config.redis.password.reveal(), "value-of-REDIS_PASSWORD");
    ASSERT_EQ(config.clients.size(), 1U);
    EXPECT_EQ(config.clients[0].name, "master");
    EXPECT_DOUBLE_EQ(config.prices.at("gpt-4o").prompt, 2.5);
    EXPECT_DOUBLE_EQ(config.prices.at("gpt-4o").completion, 10);

    EXPECT_THAT(c.notes, Contains(note(45, "model_list[5].litellm_params.model", "anthropic is neither")));
    EXPECT_THAT(c.notes, Contains(note(22, "model_list[1].litellm_params.api_key", "was not copied")));
    EXPECT_THAT(c.notes, Contains(note(49, "litellm_settings.drop_params", "has no equal")));
    EXPECT_THAT(c.notes, Contains(note(70, "general_settings.odd_setting", "has no equal")));
    EXPECT_THAT(c.notes, Contains(note(72, "environment_variables", "none was copied")));
}

TEST(Migrate, PolicyOfTheSample) {
    const auto c = converted(sample("apim-lb.xml"));
    EXPECT_EQ(c.kind, Kind::apim_policy);
    const auto config = loaded(c.yaml);
    ASSERT_EQ(config.backends.size(), 3U) << "none that stands in a comment";
    EXPECT_EQ(backend(config, "contoso-eastus").priority, 1U);
    EXPECT_EQ(backend(config, "contoso-sweden").weight, 30U);
    EXPECT_EQ(backend(config, "contoso-sweden").auth.kind, config::AuthKind::managed_identity);
    EXPECT_EQ(backend(config, "france-url").priority, 2U);
    EXPECT_THAT(c.notes, Contains(note(29, "backends[2].url",
                                       "write the URL in place of https://france-url.invalid")));
    EXPECT_THAT(c.notes, Contains(note(29, "backends[2].region", "has no equal")));
    EXPECT_THAT(c.notes, Contains(note(39, "azure-openai-token-limit", "limits.tokens_per_minute")));
    EXPECT_THAT(c.notes, Contains(note(40, "authentication-managed-identity", "uami-client-id")));
    EXPECT_THAT(c.notes, Contains(note(44, "json-to-xml", "has no equal")));
}

TEST(Migrate, PolicyThatWasEscaped) {
    const auto c = converted(
        "<policies><inbound><set-variable name=\"listBackends\" value=\"@{ JArray b = new JArray(); "
        "b.Add(new "
        "JObject() { { &quot;url&quot;, &quot;https://one.openai.azure.com/&quot; }, { &quot;priority&quot;, "
        "4 } "
        "}); List&lt;int&gt; x; return b; }\" /><set-header name=\"api-key\"><value>{{my-key}}</value>"
        "</set-header></inbound></policies>");
    const auto config = loaded(c.yaml);
    ASSERT_EQ(config.backends.size(), 1U);
    EXPECT_EQ(config.backends[0].priority, 4U);
    EXPECT_EQ(config.backends[0].api_key.reveal(), "value-of-MY_KEY");
}

TEST(Migrate, PoolOfATemplate) {
    const auto c = converted(sample("apim-pool.json"));
    EXPECT_EQ(c.kind, Kind::apim_pool);
    const auto config = loaded(c.yaml);
    ASSERT_EQ(config.backends.size(), 3U);
    EXPECT_EQ(backend(config, "contoso-ptu").priority, 1U);
    EXPECT_EQ(backend(config, "contoso-ptu").url.base_path, "");
    EXPECT_EQ(backend(config, "contoso-west").weight, 40U);
    EXPECT_EQ(backend(config, "contoso-west").api_key.reveal(), "value-of-OPENAI_KEY");
    EXPECT_EQ(config.retry.default_cool_down, std::chrono::seconds(90));
    EXPECT_EQ(config.retry.max_cool_down, std::chrono::seconds(90));
    EXPECT_THAT(c.notes, Contains(note(39, "resources[1]", "is in no pool")));
    EXPECT_THAT(c.notes, Contains(Field(&Note::key, HasSubstr("failureCondition"))));
}

TEST(Migrate, BackendsAsAzureAnswersThem) {
    const auto c = converted(
        R"({"value":[{"id":"/subscriptions/s/a","type":"Microsoft.ApiManagement/service/backends","name":"a",
        "properties":{"url":"https://a.openai.azure.com/openai/deployments/gpt-4o","protocol":"http",
        "credentials":{"managedIdentity":{"resource":"https://cognitiveservices.azure.com","clientId":"c-1"}}}},
        {"type":"Microsoft.ApiManagement/service/backends","name":"p","properties":{"type":"Pool","pool":{"services":
        [{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/x/backends/a",
        "priority":3,"weight":7},{"id":"/backends/gone"}]}}}]})");
    const auto config = loaded(c.yaml);
    ASSERT_EQ(config.backends.size(), 1U);
    EXPECT_EQ(config.backends[0].priority, 3U);
    EXPECT_EQ(config.backends[0].weight, 7U);
    EXPECT_EQ(config.backends[0].deployment, "gpt-4o");
    EXPECT_EQ(config.backends[0].auth.client_id, "c-1");
    EXPECT_THAT(c.notes, Contains(Field(&Note::message, HasSubstr("gone is not defined here"))));
}

TEST(Migrate, BifrostConfig) {
    const auto c = converted(sample("bifrost.json"));
    EXPECT_EQ(c.kind, Kind::bifrost);
    expect_none(c, {"literal"});
    const auto config = loaded(c.yaml);
    const auto& eu = backend(config, "azure-eu");
    EXPECT_EQ(eu.weight, 70U);
    EXPECT_EQ(backend(config, "azure-us").weight, 30U);
    EXPECT_EQ(resolve_deployment(eu, "azure/gpt-4o"), "gpt-4o-prod");
    EXPECT_EQ(resolve_deployment(eu, "azure/gpt-4o-mini"), "gpt-4o-mini");
    EXPECT_EQ(eu.timeouts.first_token, std::chrono::seconds(90));
    EXPECT_EQ(backend(config, "azure-us").auth.kind, config::AuthKind::client_secret);
    EXPECT_EQ(backend(config, "azure-us").auth.tenant, "66666666-7777-8888-9999-000000000000");
    EXPECT_EQ(backend(config, "openai-1").url.to_string(), "https://api.openai.com/v1");
    EXPECT_EQ(backend(config, "vllm").url.to_string(), "http://vllm.internal.example:8000/v1");
    EXPECT_EQ(config.retry.max_attempts, 3U);
    ASSERT_EQ(config.clients.size(), 2U) << "not the one that is switched off";
    EXPECT_EQ(config.clients[0].team, "Shop-Team");
    EXPECT_EQ(config.clients[0].limits.tokens_per_minute, 50000U);
    EXPECT_EQ(config.clients[0].limits.requests_per_minute, 100U);
    EXPECT_THAT(config.clients[0].deployments, Contains("azure/gpt-4o"));
    ASSERT_EQ(config.teams.size(), 1U);
    EXPECT_EQ(config.teams[0].limits.tokens.day, 2000000U);
    EXPECT_THAT(c.notes, Contains(Field(&Note::key, "providers.anthropic")));
    EXPECT_THAT(c.notes, Contains(Field(&Note::key, "governance.budgets")));
    EXPECT_THAT(c.notes, Contains(Field(&Note::key, "governance.rate_limits[1].request_max_limit")));
}

TEST(Migrate, PortkeyConfig) {
    const auto c = converted(sample("portkey.json"));
    EXPECT_EQ(c.kind, Kind::portkey);
    expect_none(c, {"literal"});
    const auto config = loaded(c.yaml);
    ASSERT_EQ(config.backends.size(), 4U);
    EXPECT_EQ(backend(config, "contoso-eu").priority, 1U);
    EXPECT_EQ(backend(config, "contoso-eu").weight, 75U);
    EXPECT_EQ(backend(config, "contoso-eu").deployment, "gpt-4o-prod");
    EXPECT_EQ(backend(config, "contoso-us").priority, 1U);
    EXPECT_EQ(backend(config, "contoso-us").auth.kind, config::AuthKind::managed_identity);
    EXPECT_EQ(backend(config, "openai").priority, 2U);
    EXPECT_EQ(backend(config, "openai").deployment, "gpt-4o");
    EXPECT_EQ(backend(config, "anthropic-prod-1a2b").priority, 3U);
    EXPECT_EQ(config.limits.request_timeout, std::chrono::seconds(30));
    EXPECT_THAT(c.notes, Contains(Field(&Note::message, HasSubstr("Portkey's vault"))));
    EXPECT_THAT(c.notes, Contains(note(4, "cache", "has no equal")));
}

TEST(Migrate, SaysWhyItCannot) {
    const auto error = [](const std::string& text) {
        const auto out = convert(text, std::nullopt, no_env());
        return out ? std::string("none") : out.error().message;
    };
    EXPECT_THAT(error(""), HasSubstr("is empty"));
    EXPECT_THAT(error("a: [1"), HasSubstr("line "));
    EXPECT_THAT(error("backends: [{url: https://one.openai.azure.com}]"), HasSubstr("gateway.yaml already"));
    EXPECT_THAT(error("resource b 'Microsoft.ApiManagement/service/backends@2024-06-01-preview' = {}"),
                HasSubstr("az bicep build"));
    EXPECT_THAT(error("hello"), HasSubstr("--from"));
    EXPECT_EQ(converted("model_list: []").yaml, "") << "no backend, no file";
}

TEST(Migrate, WhatNamesItselfHasAnEnd) {
    std::string targets;
    for (int i = 0; i < 20; ++i) targets += i == 0 ? "*a" : ", *a";
    (void)convert("&a {strategy: {mode: loadbalance}, targets: [" + targets + "]}", Kind::portkey, no_env());
    std::string parts;
    for (int i = 0; i < 30; ++i) parts += i == 0 ? "variables('a')" : ", variables('a')";
    (void)convert(R"({"variables": {"a": "[format('{0}', )" + parts +
                      R"()]"}, "resources": [{"type": "Microsoft.ApiManagement/service/backends", "name":
                      "[variables('a')]", "properties": {"url": "[variables('a')]"}}]})",
                  Kind::apim_pool, no_env());
}

TEST(Migrate, UrlsThatAreOnlyNamedComeFromTheEnvironment) {
    const auto out = convert(
        "model_list: [{model_name: a, litellm_params: {model: azure/a, api_base: os.environ/BASE, api_key: "
        "os.environ/K}}]",
        std::nullopt, [](std::string_view name) -> std::optional<std::string> {
            return name == "BASE" ? std::optional<std::string>("https://here.openai.azure.com/")
                                  : std::nullopt;
        });
    ASSERT_TRUE(out);
    EXPECT_EQ(backend(loaded(out->yaml), "here").url.host, "here.openai.azure.com");
}

}  // namespace
}  // namespace spillway::migrate
