#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/emulator_defaults.hpp"
#include "config/fake_sources.hpp"
#include "config/yaml.hpp"

namespace spillway::config {
namespace {

using namespace std::chrono_literals;

EmulatorConfig load(std::string_view text, const Sources& sources = fake_sources()) {
    auto loaded = load_emulator(text, "emulator.yaml", sources);
    EXPECT_EQ(to_string(loaded.problems), "");
    return loaded.value ? *loaded.value : EmulatorConfig{};
}

TEST(YamlEmulator, NothingIsThreeResources) {
    const auto c = load("");
    EXPECT_EQ(c.host, "127.0.0.1");
    EXPECT_EQ(c.admin_port, 9100);
    ASSERT_EQ(c.resources.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(c.resources[i].name, "resource-" + std::to_string(i + 1));
        EXPECT_EQ(c.resources[i].port, 9101 + i);
        EXPECT_TRUE(c.resources[i].api_keys.empty());
        EXPECT_EQ(c.resources[i].deployments, default_deployments(30));
    }
    const auto& d = c.resources[0].deployments[0];
    EXPECT_EQ(d.name, "gpt-4o");
    EXPECT_EQ(d.tpm, 30'000U);
    EXPECT_EQ(d.rpm, 180U);
}

TEST(YamlEmulator, TheShortFormShapesAllResources) {
    const auto c = load(R"(
host: 0.0.0.0
admin_port: 7000
base_port: 7001
seed: 42
resources: 2
capacity: 50
api_keys: [a, b]
region: West Europe
accept_bearer: false
strict: false
latency: {ttft: 0, tokens_per_second: 0}
estimate: {chars_per_token: 3.5}
)");
    EXPECT_EQ(c.seed, 42U);
    ASSERT_EQ(c.resources.size(), 2U);
    const auto& r = c.resources[1];
    EXPECT_EQ(r.port, 7002);
    EXPECT_EQ(r.api_keys, (std::vector{Secret("a"), Secret("b")}));
    EXPECT_EQ(r.region, "West Europe");
    EXPECT_FALSE(r.accept_bearer);
    EXPECT_FALSE(r.strict);
    EXPECT_EQ(r.deployments[2].tpm, 50'000U);
    EXPECT_EQ(r.deployments[2].rpm, 300U);
    EXPECT_EQ(r.deployments[2].latency.ttft, 0s);
    EXPECT_EQ(r.deployments[2].latency.ttft_jitter, 0s);
    EXPECT_EQ(r.deployments[2].latency.tokens_per_second, 0);
    EXPECT_EQ(r.deployments[2].estimate.chars_per_token, 3.5);
}

TEST(YamlEmulator, EveryKeyIsRead) {
    const auto c = load(R"(
api_key_env: KEY
resources:
  - name: ptu
    port: 7100
    api_key: own
    region: Japan East
    accept_bearer: false
    deployments:
      - name: chat
        model: gpt-4o
        kind: ptu
        ptu_tokens_per_minute: 123
        estimate: {chars_per_token: 2, default_output_tokens: 7}
        latency: {ttft: 1s, ttft_jitter: 2ms, tokens_per_second: 3, jitter: 0.5}
      - {name: small, capacity: 1}
  - deployments:
      - {name: d, kind: payg, tpm: 5000, token_window: 30s, request_window: 1s}
      - {name: e, tpm: 5000, rpm: 9}
  - api_keys: []
)",
                        fake_sources({{"KEY", "shared"}}));
    ASSERT_EQ(c.resources.size(), 3U);
    EmulatedResource first;
    first.name = "ptu";
    first.port = 7100;
    first.api_keys = {Secret("own")};
    first.region = "Japan East";
    first.accept_bearer = false;
    auto chat = with_capacity({}, 30);
    chat.name = "chat";
    chat.model = "gpt-4o";
    chat.kind = DeploymentKind::ptu;
    chat.ptu_tokens_per_minute = 123;
    chat.estimate = {2, 7};
    chat.latency = {1s, 2ms, 3, 0.5};
    auto small = with_capacity({}, 1);
    small.name = small.model = "small";
    EXPECT_EQ(small.rpm, 6U);
    first.deployments = {chat, small};
    EXPECT_EQ(c.resources[0], first);

    const auto& second = c.resources[1];
    EXPECT_EQ(second.name, "resource-2");
    EXPECT_EQ(second.port, 9102);
    EXPECT_EQ(second.api_keys, std::vector{Secret("shared")});
    EXPECT_EQ(second.deployments[0].rpm, 30U);
    EXPECT_EQ(second.deployments[0].token_window, 30s);
    EXPECT_EQ(second.deployments[0].request_window, 1s);
    EXPECT_EQ(second.deployments[1].rpm, 9U);
    EXPECT_TRUE(c.resources[2].api_keys.empty());
}

TEST(YamlEmulator, AResourcesOwnDefaultsShapeTheSharedDeployments) {
    const auto c = load(R"(
latency: {ttft: 1s}
deployments:
  - {name: chat}
  - {name: fixed, capacity: 7, latency: {ttft: 9s}}
resources:
  - capacity: 50
    latency: {jitter: 0}
  - {}
)");
    EXPECT_EQ(c.resources[0].deployments[0].tpm, 50'000U);
    EXPECT_EQ(c.resources[0].deployments[0].latency.ttft, 1s);
    EXPECT_EQ(c.resources[0].deployments[0].latency.jitter, 0);
    EXPECT_EQ(c.resources[0].deployments[1].tpm, 7'000U);
    EXPECT_EQ(c.resources[0].deployments[1].latency.ttft, 9s);
    EXPECT_EQ(c.resources[1].deployments[0].tpm, 30'000U);
    EXPECT_EQ(c.resources[1].deployments[0].latency.jitter, 0.2);
}

TEST(YamlEmulator, EachCapacityHasAtLeastOneRequest) {
    EXPECT_EQ(requests_for(1), 1U);
    EXPECT_EQ(requests_for(1000), 6U);
    EXPECT_EQ(requests_for(30'000), 180U);
}

struct Case {
    std::string_view text;
    std::string_view problems;
};

class YamlEmulatorProblems : public testing::TestWithParam<Case> {};

TEST_P(YamlEmulatorProblems, AreExact) {
    const auto loaded = load_emulator(GetParam().text, "f", fake_sources());
    EXPECT_FALSE(loaded.ok());
    EXPECT_EQ(to_string(loaded.problems), GetParam().problems);
}

INSTANTIATE_TEST_SUITE_P(
    All, YamlEmulatorProblems,
    testing::Values(
        Case{"resources: 0", "f:1:12: resources: expected a whole number from 1 to 1000\n"},
        Case{"resources: {a: 1}", "f:1:12: resources: expected a number of resources or a list of them\n"},
        Case{"resources: []", "f:1:12: resources: needs at least one resource\n"},
        Case{"resorces: 2", "f:1:1: resorces: is not a known key; did you mean resources?\n"},
        Case{"resources: [1]", "f:1:13: resources[0]: expected a map of keys and values\n"},
        Case{"admin_port: 65536", "f:1:13: admin_port: expected a whole number from 1 to 65535\n"},
        Case{"base_port: 0", "f:1:12: base_port: expected a whole number from 1 to 65535\n"},
        Case{"capacity: none", "f:1:11: capacity: expected a whole number from 1 to 1000000000\n"},
        Case{"seed: -1", "f:1:7: seed: expected a whole number from 0 to 18446744073709551615\n"},
        Case{"resources: 3\nbase_port: 65534",
             "f:1:12: resources: resources[2] has no port left below 65536; lower base_port\n"},
        Case{"resources: 1\nbase_port: 9100",
             "f:1:12: resources: resources[0] has port 9100, which is taken by admin_port\n"},
        Case{"resources: [{port: 5}, {port: 5}]",
             "f:1:12: resources: resources[1] has port 5, which is taken by resources[0]\n"},
        Case{"resources: [{name: a}, {name: a}]",
             "f:1:12: resources: resources[1] has the name a, which is taken by resources[0]\n"},
        Case{"resources: [{name: a b}]",
             "f:1:20: resources[0].name: expected 1 to 64 letters, digits, '.', '_' or '-'\n"},
        Case{
            "api_key: a\napi_keys: [b]",
            "f:2:11: api_keys: is given besides api_key; expected one of api_key, api_key_env, api_key_file, "
            "api_keys\n"},
        Case{"api_keys: [[b]]", "f:1:12: api_keys[0]: expected a text\n"},
        Case{"api_keys: ['b c']",
             "f:1:12: api_keys[0]: holds spaces, line breaks or characters outside ASCII, which a key "
             "cannot\n"},
        Case{"deployments: [{tpm: 1}]", "f:1:15: deployments[0]: needs a name\n"},
        Case{"deployments: [{name: a}, {name: a}]",
             "f:1:33: deployments[1].name: the name a is taken by deployments[0]\n"},
        Case{"resources: [{deployments: []}]",
             "f:1:27: resources[0].deployments: needs at least one deployment\n"},
        Case{"deployments: [{name: a, kind: ptuu}]",
             "f:1:31: deployments[0].kind: expected payg or ptu; did you mean ptu?\n"},
        Case{"deployments: [{name: a, tpm: 1, capacity: 1}]",
             "f:1:30: deployments[0].tpm: is given besides capacity, which is thousands of it\n"},
        Case{"deployments: [{name: a, ptu_tokens_per_minute: 1}]",
             "f:1:48: deployments[0].ptu_tokens_per_minute: has no effect without kind: ptu\n"},
        Case{"deployments: [{name: a, kind: ptu, rpm: 1}]",
             "f:1:41: deployments[0].rpm: has no effect with kind: ptu, which has ptu_tokens_per_minute\n"},
        Case{"deployments: [{name: a, token_window: 1us}]",
             "f:1:39: deployments[0].token_window: expected a duration such as 500ms, 10s or 2m, from 100ms "
             "to "
             "1h\n"},
        Case{"latency: {jitter: 2}", "f:1:19: latency.jitter: expected a number from 0 to 1\n"},
        Case{"estimate: {chars_per_token: 0}",
             "f:1:29: estimate.chars_per_token: expected a number from 0.01 to 1000\n"},
        Case{"[", "f:1:1: is not YAML: end of sequence flow not found\n"}));

}  // namespace
}  // namespace spillway::config
