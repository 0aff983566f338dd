#include "config/describe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/fake_sources.hpp"
#include "config/load.hpp"
#include "config/yaml.hpp"

namespace spillway::config {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Describe, AGatewayInFull) {
    const auto loaded = load_gateway(R"(
server: {listen: "[::]:8443", threads: 2, tls: {cert: c.pem, key: k.pem}}
admin: {token: Zx9-admin}
log: {access: off}
clients: [{name: web, keys: [Zx9-one, Zx9-two]}, {name: batch, key: Zx9-three}]
backends:
  - {name: later, url: "http://127.0.0.1:9", priority: 2, deployment: mini, tpm: 1000}
  - name: first
    url: https://one.openai.azure.com
    api_key: Zx9-upstream
    deployments: {gpt-4o: prod-4o}
    ptu: true
    rpm: 6
)",
                                     "f", fake_sources({}, {{"c.pem", "Zx9"}, {"k.pem", "Zx9"}}));
    ASSERT_TRUE(loaded.ok()) << to_string(loaded.problems);
    EXPECT_EQ(describe(*loaded.value), R"(server:
  listen: "[::]:8443"
  threads: 2
  tls: {cert: c.pem, key: k.pem, min_version: 1.2}
admin:
  enabled: true
  listen: 127.0.0.1:8081
  token: "***"
log:
  access: off
clients:
  - name: web
    keys: ["***", "***"]
    priority: normal
  - name: batch
    keys: ["***"]
    priority: normal
allow_anonymous: false
backends:
  - name: first
    url: https://one.openai.azure.com
    kind: azure
    priority: 1
    weight: 1
    key_style: api-key
    api_key: "***"
    deployments: {gpt-4o: prod-4o}
    rpm: 6
    ptu: true
    timeouts: {connect: 5s, first_token: 10m, stall: 5m}
    tls: {verify: true}
    max_idle_connections: 256
  - name: later
    url: http://127.0.0.1:9
    kind: azure
    priority: 2
    weight: 1
    key_style: api-key
    deployment: mini
    tpm: 1000
    ptu: false
    timeouts: {connect: 5s, first_token: 10m, stall: 5m}
    max_idle_connections: 256
retry:
  max_attempts: 0
  budget: {ratio: 0.2, burst: 100}
  default_cool_down: 10s
  max_cool_down: 60s
  max_wait: 0s
  on_timeout: false
affinity:
  prompt_cache: true
stream:
  late_commit: true
  max_preamble: 256KiB
  heartbeat: 10s
  include_usage: true
limits:
  max_head: 32KiB
  max_body: 64MiB
  max_upload: 128MiB
  max_answer_buffer: 4MiB
  memory: 0
  connection_memory: 64MiB
  max_connections: 0
  connections_per_client: 0
  adaptive_concurrency: false
  head_timeout: 10s
  body_timeout: 30s
  body_time: 5m
  body_rate: 1KiB
  keep_alive_timeout: 75s
  write_timeout: 60s
  request_timeout: 10m
users:
  field: false
weights:
  prompt: 1
  cached: 1
  completion: 1
  reasoning: 1
)");
    EXPECT_THAT(describe(*loaded.value), Not(HasSubstr("Zx9")));
}

TEST(Describe, AGatewayWithoutClients) {
    const auto loaded = load_gateway(
        "admin: {enabled: false}\nbackends: [{url: http://127.0.0.1, key_style: bearer, api_key: Zx9}]", "f",
        fake_sources());
    ASSERT_TRUE(loaded.ok());
    const auto text = describe(*loaded.value);
    EXPECT_THAT(text, HasSubstr("\n  enabled: false\n"));
    EXPECT_THAT(text, Not(HasSubstr("clients:")));
    EXPECT_THAT(text, HasSubstr("\n  access: \"-\"\n"));
    EXPECT_THAT(text, HasSubstr("\n    key_style: bearer\n    api_key: \"***\"\n"));
    EXPECT_THAT(text, Not(HasSubstr("Zx9")));
}

TEST(Describe, AnEmulator) {
    const auto loaded = load_emulator(R"(
api_key: Zx9-key
resources: 1
deployments:
  - {name: chat, model: gpt-4o, kind: ptu, ptu_tokens_per_minute: 9}
  - {name: small, capacity: 2}
)",
                                      "f", fake_sources());
    ASSERT_TRUE(loaded.ok()) << to_string(loaded.problems);
    EXPECT_EQ(describe(*loaded.value), R"(host: 127.0.0.1
admin_port: 9100
seed: 1
resources:
  - name: resource-1
    port: 9101
    api_keys: ["***"]
    region: "Sweden Central"
    accept_bearer: true
    strict: true
    deployments:
      - name: chat
        model: gpt-4o
        kind: ptu
        estimate: {chars_per_token: 4, default_output_tokens: 16}
        latency: {ttft: 200ms, ttft_jitter: 50ms, tokens_per_second: 100, jitter: 0.2}
        ptu_tokens_per_minute: 9
      - name: small
        model: small
        kind: payg
        estimate: {chars_per_token: 4, default_output_tokens: 16}
        latency: {ttft: 200ms, ttft_jitter: 50ms, tokens_per_second: 100, jitter: 0.2}
        tpm: 2000
        rpm: 12
        token_window: 60s
        request_window: 10s
)");
}

TEST(LoadEmulatorFrom, NamesAFileThatIsNotThere) {
    EXPECT_EQ(to_string(load_emulator_from("e.yaml", fake_sources()).problems),
              "e.yaml: cannot be opened: No such file or directory\n");
    EXPECT_TRUE(load_emulator_from("e.yaml", fake_sources({}, {{"e.yaml", "resources: 1"}})).ok());
}

}  // namespace
}  // namespace spillway::config
