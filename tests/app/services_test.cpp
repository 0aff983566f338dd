/// What `up` writes is read by the same loaders that `serve` and `emulate` use.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/stack_services.hpp"
#include "config/yaml.hpp"
#include "identity/client_keys.hpp"

namespace spillway::app::stack {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view client_key = "client-key-that-is-secret";
constexpr std::string_view resource_key = "resource\"key\\odd";

std::vector<Service> services(const Values& values = {}) {
    Values all = values;
    all.emplace("SPILLWAY_API_KEY", client_key);
    return services_for(settings_from(all).value(),
                        {"/some folder/\"odd\"", "build", std::string(resource_key)});
}

TEST(Services, TheEmulatorIsWhatTheSettingsSay) {
    const auto all = services({{"OPENAI_CAPACITY", "50"}, {"SPILLWAY_EMULATOR_BASE_PORT", "9300"}});
    const auto loaded = config::load_emulator(all[0].config_text, "emulator.yaml", config::process_sources());
    ASSERT_TRUE(loaded.value) << config::to_string(loaded.problems);
    EXPECT_TRUE(loaded.problems.empty()) << config::to_string(loaded.problems);
    EXPECT_EQ(loaded.value->admin_port, 9100);
    ASSERT_EQ(loaded.value->resources.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto& resource = loaded.value->resources[i];
        EXPECT_EQ(resource.name, "aoai-" + std::to_string(i + 1));
        EXPECT_EQ(resource.port, 9300 + i);
        ASSERT_EQ(resource.api_keys.size(), 1U);
        EXPECT_EQ(resource.api_keys[0].reveal(), resource_key);
        ASSERT_FALSE(resource.deployments.empty());
        for (const auto& deployment : resource.deployments) {
            EXPECT_EQ(deployment.tpm, 50'000U);
            EXPECT_EQ(deployment.rpm, 300U);
        }
    }
}

TEST(Services, TheGatewayIsWhatTheSettingsSay) {
    const auto all = services({{"OPENAI_CAPACITY", "50"}});
    const auto loaded = config::load_gateway(all[1].config_text, "gateway.yaml", config::process_sources());
    ASSERT_TRUE(loaded.value) << config::to_string(loaded.problems);
    EXPECT_TRUE(loaded.problems.empty()) << config::to_string(loaded.problems);
    const auto& gateway = *loaded.value;
    EXPECT_EQ(gateway.listen.host, "127.0.0.1");
    EXPECT_EQ(gateway.listen.port, 8080);
    EXPECT_EQ(gateway.admin.listen.port, 8081);
    EXPECT_EQ(gateway.access_log.path, "/some folder/\"odd\"/access.jsonl");
    EXPECT_EQ(gateway.ledger, "/some folder/\"odd\"/usage.db");
    EXPECT_EQ(gateway.store.path, "/some folder/\"odd\"/store.db");
    ASSERT_EQ(gateway.clients.size(), 1U);
    identity::KeyHasher hash;
    EXPECT_THAT(gateway.clients[0].keys, ElementsAre(hash(client_key)));
    ASSERT_EQ(gateway.backends.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto& backend = gateway.backends[i];
        EXPECT_EQ(backend.name, "aoai-" + std::to_string(i + 1));
        EXPECT_EQ(backend.url.to_string(), "http://127.0.0.1:" + std::to_string(9101 + i));
        EXPECT_EQ(backend.priority, i == 0 ? 1U : 2U) << "so that one sees it spill over";
        EXPECT_EQ(backend.api_key.reveal(), resource_key);
        EXPECT_EQ(backend.tpm, 50'000U);
        EXPECT_EQ(backend.rpm, 300U);
    }
}

TEST(Services, TheChatAppSpeaksToTheGateway) {
    const auto all = services({{"SPILLWAY_PORT", "8200"}, {"SPILLWAY_CHAT_PORT", "8300"}});
    ASSERT_EQ(all.size(), 3U);
    const Values values = parse_values(all[2].config_text).value();
    EXPECT_EQ(values.at("OPENAI_HOST"), "azure_custom");
    EXPECT_EQ(values.at("AZURE_OPENAI_CUSTOM_URL"), "http://127.0.0.1:8200");
    EXPECT_EQ(all[2].health_port, 8300);
    EXPECT_EQ(all[2].config_file, "chat.env");
    // The key comes from the stack's settings, and a new one starts the app anew.
    const auto other =
        services_for(settings_from({{"SPILLWAY_API_KEY", "another-key"}}).value(), {"/f", "b", "k"});
    EXPECT_NE(services()[2].spec.inputs.at("SPILLWAY_API_KEY"), other[2].spec.inputs.at("SPILLWAY_API_KEY"));
}

TEST(Services, TheClientsKeyIsInNoFile) {
    for (const Service& service : services()) EXPECT_THAT(service.config_text, Not(HasSubstr(client_key)));
}

TEST(Services, ArePointedAtTheirFiles) {
    const auto all = services();
    EXPECT_THAT(all[0].arguments, ElementsAre("emulate", "--config", "/some folder/\"odd\"/emulator.yaml"));
    EXPECT_THAT(all[1].arguments, ElementsAre("serve", "--grace", "10", "--keep-accepting", "0", "--config",
                                              "/some folder/\"odd\"/gateway.yaml"));
    EXPECT_THAT(all[2].arguments,
                ElementsAre("chat", "--env-file", "/some folder/\"odd\"/chat.env", "--env-file",
                            "/some folder/\"odd\"/.env", "--listen", "127.0.0.1:8082", "--database",
                            "/some folder/\"odd\"/chat.db"));
}

}  // namespace
}  // namespace spillway::app::stack
