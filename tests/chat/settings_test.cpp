#include "chat/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace spillway::chat {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Result<ModelSettings> with(const std::map<std::string, std::string>& values) {
    return model_settings([&](std::string_view name) -> std::optional<std::string> {
        const auto at = values.find(std::string(name));
        if (at == values.end()) return std::nullopt;
        return at->second;
    });
}

TEST(ChatSettings, AzureCustomAddsOpenaiToTheGatewaysPath) {
    const auto s = with({{"OPENAI_HOST", "azure_custom"},
                         {"AZURE_OPENAI_CUSTOM_URL", "http://gateway.example:8080/api/v1/"},
                         {"AZURE_OPENAI_CHATGPT_DEPLOYMENT", "my gpt"},
                         {"AZURE_OPENAI_API_KEY_OVERRIDE", "k1"}});
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_EQ(s->url.host, "gateway.example");
    EXPECT_EQ(s->url.port, 8080);
    EXPECT_EQ(s->chat_target, "/api/v1/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21");
    EXPECT_EQ(s->embeddings_target,
              "/api/v1/openai/deployments/text-embedding-3-small/embeddings?api-version=2024-10-21");
    EXPECT_EQ(s->auth_line.reveal(), "api-key: k1\r\n");
}

TEST(ChatSettings, AzureCustomTakesTheGatewaysAddressAsTheSamplesHaveIt) {
    for (const char* end : {"", "/", "/openai", "/openai/", "/openai/v1", "/openai/v1/", "/v1", "/v1/"}) {
        const auto s = with({{"OPENAI_HOST", "azure_custom"},
                             {"AZURE_OPENAI_CUSTOM_URL", std::string("https://gateway.example") + end}});
        ASSERT_TRUE(s) << s.error().message;
        EXPECT_EQ(s->chat_target, "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21")
            << end;
    }
}

TEST(ChatSettings, AzureNamesTheResource) {
    const auto s = with({{"AZURE_OPENAI_SERVICE", "my-resource"},
                         {"AZURE_OPENAI_API_KEY", "k2"},
                         {"AZURE_OPENAI_API_VERSION", "2025-01-01-preview"}});
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_EQ(s->url.to_string(), "https://my-resource.openai.azure.com");
    EXPECT_THAT(s->chat_target,
                HasSubstr("/openai/deployments/gpt-4o/chat/completions?api-version=2025-01-01"));
    EXPECT_EQ(s->auth_line.reveal(), "api-key: k2\r\n");
}

TEST(ChatSettings, OpenaiUsesABearerTokenAndTheModelInTheBody) {
    const auto s = with({{"OPENAI_HOST", "openai"},
                         {"OPENAI_API_KEY", "k3"},
                         {"OPENAI_ORGANIZATION", "org"},
                         {"AZURE_OPENAI_CHATGPT_MODEL", "gpt-5-mini"}});
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_EQ(s->url.to_string(), "https://api.openai.com/v1");
    EXPECT_EQ(s->chat_target, "/v1/chat/completions");
    EXPECT_EQ(s->chat_model, "gpt-5-mini");
    EXPECT_EQ(s->auth_line.reveal(), "authorization: Bearer k3\r\n");
}

TEST(ChatSettings, AnEmptyEmbeddingDeploymentTurnsEmbeddingsOff) {
    const auto s = with({{"OPENAI_HOST", "azure_custom"},
                         {"AZURE_OPENAI_CUSTOM_URL", "http://127.0.0.1:1"},
                         {"AZURE_OPENAI_EMB_DEPLOYMENT", ""}});
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_TRUE(s->embeddings_target.empty());
    EXPECT_TRUE(s->auth_line.empty());
}

TEST(ChatSettings, TheLocalStacksKeyWillDo) {
    const auto s = with({{"OPENAI_HOST", "azure_custom"},
                         {"AZURE_OPENAI_CUSTOM_URL", "http://127.0.0.1:1"},
                         {"SPILLWAY_API_KEY", "k4"}});
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_EQ(s->auth_line.reveal(), "api-key: k4\r\n");
}

TEST(ChatSettings, ErrorsNameTheVariableAndNotItsValue) {
    const auto missing = with({{"OPENAI_HOST", "azure_custom"}});
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message, HasSubstr("AZURE_OPENAI_CUSTOM_URL"));
    EXPECT_FALSE(with({{"OPENAI_HOST", "elsewhere"}}));
    EXPECT_FALSE(with({{"OPENAI_HOST", "openai"}}));
    EXPECT_FALSE(with({{"OPENAI_HOST", "local"}}));
    const auto bad = with({{"AZURE_OPENAI_SERVICE", "r"}, {"AZURE_OPENAI_API_KEY", "secret\r\nx: y"}});
    ASSERT_FALSE(bad);
    EXPECT_THAT(bad.error().message, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace spillway::chat
