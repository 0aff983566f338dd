#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/fake_sources.hpp"
#include "config/key_digest.hpp"
#include "config/yaml.hpp"

namespace spillway::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

GatewayConfig load(std::string_view text, const Sources& sources = fake_sources()) {
    auto loaded = load_gateway(text, "etc/gateway.yaml", sources);
    EXPECT_EQ(loaded.errors(), 0U) << to_string(loaded.problems);
    return loaded.value ? *loaded.value : GatewayConfig{};
}

TEST(YamlGateway, OneUrlIsEnough) {
    const auto c = load("backends: [{url: https://one.openai.azure.com}]");
    GatewayConfig expected;
    BackendConfig b;
    b.name = "one";
    b.url = {true, "one.openai.azure.com", 443, ""};
    expected.backends = {b};
    EXPECT_EQ(c, expected);
    EXPECT_EQ(c.max_attempts(), 2U);
}

TEST(YamlGateway, EveryKeyIsRead) {
    const auto sources = fake_sources(
        {{"K1", "from-env"}, {"TOKEN", "admin-token\n"}},
        {{"etc/cert.pem", "C"}, {"/abs/key.pem", "K"}, {"etc/ca.pem", "A"}, {"etc/key2", "from-file\r\n"}});
    const auto c = load(R"(
server:
  listen: "[::]:8443"
  threads: 3
  tls: {cert: cert.pem, key: /abs/key.pem}
admin: {enabled: yes, listen: 10.0.0.1:9, token_env: TOKEN}
log: {access: logs/access.jsonl}
allow_anonymous: true
clients:
  - {name: inline, key: k-inline}
  - {name: env, key_env: K1}
  - {name: file, key_file: key2}
  - {name: digest, key_sha256: "2C26B46B68FFC68FF99B453C1D30413413422D706483BFA0F98A5E886266E7AE"}
  - name: many
    keys: [plain, {key: mapped}]
backends:
  - name: full
    url: https://a.example:444/base/
    kind: openai
    priority: 7
    weight: 8
    api_key: sekrit
    key_style: api-key
    deployments: {gpt-4o: four-o, "gpt-4": four}
    tpm: 30000
    rpm: 180
    ptu: true
    timeouts: {connect: 1s, first_token: 2m, stall: 3}
    tls: {verify: true, ca_file: ca.pem, server_name: other.example}
    max_idle_connections: 0
  - {name: second, url: "http://127.0.0.1:1", deployment: only, api_key_file: key2}
retry:
  max_attempts: 4
  budget: {ratio: 0.25, burst: 5}
  default_cool_down: 6s
  max_cool_down: 7s
  max_wait: 3s
affinity: {prompt_cache: false}
stream: {late_commit: false, max_preamble: 64KiB, include_usage: off}
limits:
  max_head: 16KiB
  max_body: 2MiB
  max_answer_buffer: 0
  memory: 3GiB
  connection_memory: 9MiB
  max_connections: 99
  connections_per_client: 7
  adaptive_concurrency: on
  head_timeout: 1s
  body_timeout: 2s
  body_time: 1m
  body_rate: 5KiB
  keep_alive_timeout: 3s
  write_timeout: 4s
  request_timeout: 5m
)",
                        sources);

    GatewayConfig e;
    e.listen = {"::", 8443};
    e.threads = 3;
    e.tls.emplace();
    e.tls->cert_file = "etc/cert.pem";
    e.tls->key_file = "/abs/key.pem";
    e.admin = {true, {"10.0.0.1", 9}, Secret("admin-token"), {}, {}};
    e.access_log.path = "etc/logs/access.jsonl";
    e.allow_anonymous = true;
    e.clients = {{"inline", {digest_of("k-inline")}},
                 {"env", {digest_of("from-env")}},
                 {"file", {digest_of("from-file")}},
                 {"digest", {digest_of("foo")}},
                 {"many", {digest_of("plain"), digest_of("mapped")}}};
    BackendConfig full;
    full.name = "full";
    full.url = {true, "a.example", 444, "/base"};
    full.kind = BackendKind::openai;
    full.priority = 7;
    full.weight = 8;
    full.api_key = Secret("sekrit");
    full.key_style = KeyStyle::api_key;
    full.deployments = {{"gpt-4o", "four-o"}, {"gpt-4", "four"}};
    full.tpm = 30000;
    full.rpm = 180;
    full.ptu = true;
    full.timeouts = {1s, 2min, 3s, {}};
    full.tls = {true, "etc/ca.pem", "other.example"};
    full.max_idle_connections = 0;
    BackendConfig second;
    second.name = "second";
    second.url = {false, "127.0.0.1", 1, ""};
    second.deployment = "only";
    second.api_key = Secret("from-file");
    e.backends = {full, second};
    e.retry = {4, {0.25, 5}, 6s, 7s, 3s};
    e.affinity = {false};
    e.stream = {false, 64 * 1024, 10s, false};
    e.limits = {.max_head_bytes = 16 * 1024,
                .max_body_bytes = 2 * 1024 * 1024,
                .max_answer_buffer_bytes = 0,
                .memory_bytes = std::size_t{3} * 1024 * 1024 * 1024,
                .connection_memory_bytes = 9 * 1024 * 1024,
                .max_connections = 99,
                .connections_per_client = 7,
                .adaptive_concurrency = true,
                .head_timeout = 1s,
                .body_timeout = 2s,
                .body_time = 1min,
                .body_rate = 5 * 1024,
                .keep_alive_timeout = 3s,
                .write_timeout = 4s,
                .request_timeout = 5min};
    EXPECT_EQ(c, e);
}

TEST(YamlGateway, JsonIsYaml) {
    const auto c = load(R"({"server": {"listen": "127.0.0.1:1"}, "log": {"access": "off"},
                            "backends": [{"name": "a", "url": "http://h"}]})");
    EXPECT_EQ(c.listen.port, 1);
    EXPECT_FALSE(c.access_log.enabled());
}

TEST(YamlGateway, SectionsWithAllLinesCommentedOutAreAbsent) {
    const auto c = load(
        "server:\nadmin:\nlog:\nlimits:\nretry:\naffinity:\nstream:\nclients:\nbackends: [{url: "
        "http://h}]\n");
    EXPECT_EQ(c.limits, LimitsConfig{});
}

TEST(YamlGateway, NamesComeFromHostsOrNumbers) {
    const auto c = load(R"(
backends:
  - url: https://one.openai.azure.com
  - url: https://api.openai.com/v1
  - url: https://one.openai.azure.com/again
  - url: http://[::1]:80
  - {name: backend-4, url: http://h}
  - url: http://h2:1
)");
    std::vector<std::string> names;
    for (const auto& b : c.backends) names.push_back(b.name);
    EXPECT_THAT(names, ElementsAre("one", "api.openai.com", "backend-3", "backend-5", "backend-4", "h2"));
}

TEST(YamlGateway, KindDecidesHowTheKeyIsSent) {
    const auto c = load(R"(
backends:
  - {url: "https://api.openai.com/v1", api_key: k}
  - {url: "https://one.openai.azure.com", api_key: k}
  - {url: "https://two.example", kind: openai}
  - {url: "https://three.openai.azure.com", key_style: bearer}
)");
    EXPECT_EQ(c.backends[0].kind, BackendKind::openai);
    EXPECT_EQ(c.backends[0].key_style, KeyStyle::bearer);
    EXPECT_EQ(c.backends[1].key_style, KeyStyle::api_key);
    EXPECT_EQ(c.backends[2].key_style, KeyStyle::bearer);
    EXPECT_EQ(c.backends[3].kind, BackendKind::azure);
    EXPECT_EQ(c.backends[3].key_style, KeyStyle::bearer);
}

TEST(YamlGateway, AnchorsSpareWriting) {
    const auto c = load(R"(
backends:
  - {url: "http://h1", timeouts: &t {connect: 1s}}
  - {url: "http://h2", timeouts: *t}
)");
    EXPECT_EQ(c.backends[1].timeouts.connect, 1s);
}

TEST(YamlGateway, PathsStartAtTheFilesFolder) {
    const auto sources = fake_sources({}, {{"key", "k"}});
    const auto loaded =
        load_gateway("backends: [{url: http://127.0.0.1, api_key_file: key}]", "gateway.yaml", sources);
    ASSERT_TRUE(loaded.ok()) << to_string(loaded.problems);
    EXPECT_EQ(loaded.value->backends[0].api_key.reveal(), "k");
}

TEST(YamlGateway, LoopbackNeedsNoClients) {
    for (const auto* host : {"127.0.0.1", "127.9.9.9", "localhost", "[::1]", "[::ffff:127.0.0.1]"}) {
        const auto c = load(std::string("server: {listen: '") + host + ":80'}\nbackends: [{url: http://h}]");
        EXPECT_THAT(c.clients, IsEmpty());
    }
}

}  // namespace
}  // namespace spillway::config
