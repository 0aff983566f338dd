// Shapes that the other gateways' own documents show, beside those of the samples.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/conversion.hpp"

namespace spillway::migrate {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;

TEST(MigrateShapes, LiteLlmMergesMaps) {
    const auto c = converted(
        "eu: &eu {api_base: https://eu.openai.azure.com, api_key: os.environ/EU_KEY}\n"
        "model_list:\n"
        "  - {model_name: a, litellm_params: {<<: *eu, model: azure/gpt-4o}}\n"
        "  - {model_name: b, litellm_params: {<<: [*eu], model: gpt-4o-mini, custom_llm_provider: azure}}\n");
    const auto config = loaded(c.yaml);
    ASSERT_FALSE(config.backends.empty());
    for (const auto& b : config.backends) {
        EXPECT_EQ(b.url.host, "eu.openai.azure.com");
        EXPECT_EQ(b.api_key.reveal(), "value-of-EU_KEY");
        EXPECT_EQ(b.kind, config::BackendKind::azure);
    }
}

TEST(MigrateShapes, AnAnchorWithinItselfHasAnEnd) {
    (void)convert("model_list: &a [{model_name: a, litellm_params: &b {<<: *b, model: azure/x}}]",
                  std::nullopt, [](std::string_view) -> std::optional<std::string> { return std::nullopt; });
}

TEST(MigrateShapes, BifrostKeysKeepTheirProviders) {
    const std::string head =
        R"({"providers":{"azure":{"keys":[{"name":"k","value":"env.K","models":["gpt-4o"],"azure_key_config":
        {"endpoint":"https://a.openai.azure.com","deployments":{"gpt-4o":"gpt-4o"}}}]}},
        "governance":{"virtual_keys":[{"id":"v","name":"shop","value":"env.V","is_active":true,"provider_configs":[)";
    const auto other =
        converted(head + R"({"provider":"anthropic","allowed_models":["*"]}]}]}})", Kind::bifrost);
    EXPECT_TRUE(loaded(other.yaml).clients.empty()) << "a key for another provider is none for Azure";
    EXPECT_THAT(other.notes, Contains(Field(&Note::message, HasSubstr("no client came of it"))));
}

TEST(MigrateShapes, PortkeysCatalogue) {
    const auto c = converted(
        R"({"strategy":{"mode":"fallback"},"targets":[{"override_params":{"model":"@azure-eastus/gpt-4o"}},
        {"override_params":{"model":"@azure-west/gpt-4o"}}]})",
        Kind::portkey);
    const auto config = loaded(c.yaml);
    ASSERT_EQ(config.backends.size(), 2U);
    EXPECT_EQ(config.backends[0].name, "azure-eastus");
    EXPECT_EQ(config.backends[0].url.host, "azure-eastus.invalid") << "not api.openai.com";
    EXPECT_EQ(config.backends[0].deployment, "gpt-4o");
}

TEST(MigrateShapes, BicepsSafeDereference) {
    const auto c = converted(
        R"({"parameters":{"all":{"defaultValue":[{"name":"ptu","priority":1},{"name":"payg","priority":2,"weight":5}]}},
        "resources":[{"copy":{"name":"b","count":"[length(parameters('all'))]"},
        "type":"Microsoft.ApiManagement/service/backends","name":"[format('x/{0}', parameters('all')[copyIndex()].name)]",
        "properties":{"url":"[replace(format('https://{0}.openai.azure.com/openai', parameters('all')[copyIndex()].name), 'payg', 'pay')]",
        "protocol":"http"}},
        {"condition":false,"type":"Microsoft.ApiManagement/service/backends","name":"gone","properties":{"url":"https://gone.example"}},
        {"type":"Microsoft.ApiManagement/service/backends","name":"pool","properties":{"type":"Pool","pool":{
        "copy":[{"name":"services","count":"[length(parameters('all'))]","input":{
        "id":"[format('/backends/{0}/', toLower(parameters('all')[copyIndex('services')].name))]",
        "priority":"[tryGet(parameters('all')[copyIndex('services')], 'priority')]",
        "weight":"[tryGet(parameters('all')[copyIndex('services')], 'weight')]"}}]}}}]})",
        Kind::apim_pool);
    const auto config = loaded(c.yaml);
    ASSERT_EQ(config.backends.size(), 2U) << c.yaml;
    EXPECT_EQ(config.backends[0].priority, 1U);
    EXPECT_EQ(config.backends[1].priority, 2U);
    EXPECT_EQ(config.backends[1].weight, 5U);
    EXPECT_EQ(config.backends[1].url.host, "pay.openai.azure.com");
}

TEST(MigrateShapes, PoliciesInOtherWords) {
    const auto exported = converted(
        "<policies><inbound><set-variable name=\"l\" value=\"@{&#xD;&#xA;// the list&#xD;&#xA;return new "
        "JArray(new JObject(new JProperty(&quot;url&quot;, &quot;https://one.openai.azure.com/&quot;), new "
        "JProperty(&quot;priority&quot;, 2)));&#xD;&#xA;}\" /></inbound></policies>",
        Kind::apim_policy);
    const auto config = loaded(exported.yaml);
    ASSERT_EQ(config.backends.size(), 1U);
    EXPECT_EQ(config.backends[0].priority, 2U);
    const auto chosen = converted(
        "<policies><inbound><choose><when condition=\"@(true)\"><set-backend-service "
        "base-url=\"https://two.openai.azure.com/openai\" /></when></choose></inbound></policies>",
        Kind::apim_policy);
    ASSERT_EQ(loaded(chosen.yaml).backends.size(), 1U);
}

}  // namespace
}  // namespace spillway::migrate
