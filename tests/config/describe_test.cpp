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
    EXPECT_EQ(describe(*loaded.value), R"(server: https://[::]:8443, threads: 2
  tls: cert c.pem, key k.pem
admin: http://127.0.0.1:8081, token: ***
log: access off
client web: 2 keys
client batch: 1 key
backend first: https://one.openai.azure.com
  priority: 1, weight: 1, kind: azure, provisioned (PTU)
  api_key: *** (sent as api-key)
  deployment: gpt-4o -> prod-4o
  quota: unknown tokens and 6 requests per minute
  timeouts: connect 5s, first byte 100s, idle 60s
  tls: verified, CA of the system, name one.openai.azure.com
  max_idle_connections: 256 per thread
backend later: http://127.0.0.1:9
  priority: 2, weight: 1, kind: azure
  api_key: none
  deployment: mini for every request
  quota: 1000 tokens and unknown requests per minute
  timeouts: connect 5s, first byte 100s, idle 60s
  max_idle_connections: 256 per thread
retry: at most 3 attempts, budget 0.5 per request with 1000 saved up, cool-down 10s (at most 60s), wait for quota at most 0s
affinity: prompt cache on
stream: late commit on, preamble up to 256KiB, usage asked for
limits: head 32KiB, body 32MiB, held answer 4MiB, connections unlimited
  timeouts: head 10s, body 30s, keep-alive 75s, write 60s, request 10m
)");
    EXPECT_THAT(describe(*loaded.value), Not(HasSubstr("Zx9")));
}

TEST(Describe, AGatewayWithoutClients) {
    const auto loaded = load_gateway(
        "admin: {enabled: false}\nbackends: [{url: http://127.0.0.1, key_style: bearer, api_key: Zx9}]", "f",
        fake_sources());
    ASSERT_TRUE(loaded.ok());
    const auto text = describe(*loaded.value);
    EXPECT_THAT(text, HasSubstr("\nadmin: off\n"));
    EXPECT_THAT(text, HasSubstr("\nclients: anyone who can connect\n"));
    EXPECT_THAT(text, HasSubstr("\nlog: access to standard output\n"));
    EXPECT_THAT(text, HasSubstr("\n  api_key: *** (sent as Authorization: Bearer)\n"));
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
    EXPECT_EQ(describe(*loaded.value), R"(admin: http://127.0.0.1:9100, seed: 1
resource-1: http://127.0.0.1:9101
  region: Sweden Central, api keys: 1, bearer tokens: accepted
  deployment chat (gpt-4o): provisioned, drains 9 tokens per minute
    first token after 200ms +- 50ms, then 100 tokens per second (jitter 0.2)
    estimate: characters / 4 + max_tokens (or 16)
  deployment small (small): 2000 tokens per 60s and 12 requests per minute in windows of 10s
    first token after 200ms +- 50ms, then 100 tokens per second (jitter 0.2)
    estimate: characters / 4 + max_tokens (or 16)
)");
}

TEST(LoadEmulatorFrom, NamesAFileThatIsNotThere) {
    EXPECT_EQ(to_string(load_emulator_from("e.yaml", fake_sources()).problems),
              "e.yaml: cannot be opened: No such file or directory\n");
    EXPECT_TRUE(load_emulator_from("e.yaml", fake_sources({}, {{"e.yaml", "resources: 1"}})).ok());
}

}  // namespace
}  // namespace spillway::config
