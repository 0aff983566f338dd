// Limits, prices, identities and sharing in a gateway's file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/describe.hpp"
#include "config/fake_sources.hpp"
#include "config/yaml.hpp"

namespace spillway::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::string_view kFull = R"(
backends: [{url: http://127.0.0.1}]
clients:
  - name: web
    key: Zx9-web-key
    team: shop
    priority: high
    deployments: [gpt-4o, mini]
    limits:
      tokens_per_minute: 1000
      requests_per_minute: 20
      concurrency: 3
      tokens: {hour: 1, day: 2, week: 3, month: 4}
      budget: {hour: 0.5, day: 1, week: 1.5, month: 2}
      shadow: true
  - {name: portal, claim: app-id, header: the-portal}
teams: [{name: shop, limits: {concurrency: 9}}]
users: {field: true, limits: {requests_per_minute: 5}}
identity:
  jwt: {jwks_file: keys.json, secret: Zx9-hs, issuer: i, audience: a, client_claim: c, user_claim: u, team_claim: t, leeway: 5s}
  headers: {client: x-client, user: x-user, team: x-team, trusted_proxies: [10.0.0.0/8, "::1", "fd00::/8"]}
weights: {prompt: 0.5, cached: 0.1, completion: 2, reasoning: 3}
prices: {gpt-4o: {prompt: 2.5, completion: 10}, mini: {prompt: 1, cached: 0.5, completion: 2}}
fairness: {tokens_per_minute: 90000, concurrency: 50}
ledger: {path: data/usage.db}
redis: {url: "rediss://ann@cache.example:6380/2", password: Zx9-redis, sentinels: ["10.0.0.1:26379"], sentinel_password: Zx9-watch, prefix: p, ca_file: ca.pem, replicas: 3, interval: 20ms, timeout: 1s}
)";

Loaded<GatewayConfig> load(std::string_view text) {
    return load_gateway(text, "f", fake_sources({}, {{"keys.json", "{}"}, {"ca.pem", "C"}}));
}

TEST(YamlQuota, EveryKeyIsRead) {
    const auto loaded = load(kFull);
    ASSERT_EQ(to_string(loaded.problems), "");
    const GatewayConfig& c = *loaded.value;
    const ClientConfig& web = c.clients.at(0);
    EXPECT_EQ(web.team, "shop");
    EXPECT_EQ(web.priority, PriorityClass::high);
    EXPECT_EQ(web.deployments, (std::vector<std::string>{"gpt-4o", "mini"}));
    EXPECT_EQ(web.limits, (QuotaConfig{1000, 20, 3, {1, 2, 3, 4}, {0.5, 1, 1.5, 2}, true}));
    EXPECT_EQ(c.clients.at(1).claim, "app-id");
    EXPECT_EQ(c.clients.at(1).header, "the-portal");
    EXPECT_TRUE(c.clients.at(1).keys.empty());
    EXPECT_EQ(c.teams.at(0).name, "shop");
    EXPECT_EQ(c.teams.at(0).limits.concurrency, 9U);
    EXPECT_TRUE(c.users.field);
    EXPECT_EQ(c.users.limits.requests_per_minute, 5U);
    EXPECT_EQ(c.identity.jwt, (JwtConfig{"keys.json", Secret("Zx9-hs"), "i", "a", "c", "u", "t", 5s}));
    EXPECT_EQ(c.identity.headers,
              (TrustedHeadersConfig{"x-client", "x-user", "x-team", {"10.0.0.0/8", "::1", "fd00::/8"}}));
    EXPECT_EQ(c.weights, (WeightsConfig{0.5, 0.1, 2, 3}));
    EXPECT_EQ(c.prices.at("gpt-4o"), (PriceConfig{2.5, 2.5, 10}));
    EXPECT_EQ(c.prices.at("mini"), (PriceConfig{1, 0.5, 2}));
    EXPECT_EQ(c.fairness, (FairnessConfig{90000, 50}));
    EXPECT_EQ(c.ledger, "data/usage.db");
    EXPECT_EQ(c.redis, (RedisConfig{"cache.example",
                                    6380,
                                    true,
                                    2,
                                    "ann",
                                    Secret("Zx9-redis"),
                                    {"10.0.0.1:26379"},
                                    Secret("Zx9-watch"),
                                    "p",
                                    true,
                                    "ca.pem",
                                    3,
                                    20ms,
                                    1s}));
}

TEST(YamlQuota, IsDescribedWithoutSecrets) {
    const std::string text = describe(*load(kFull).value);
    for (const auto* line :
         {"  - name: web\n    keys: [\"***\"]\n    team: shop\n    priority: high\n"
          "    deployments: [gpt-4o, mini]\n"
          "    limits: {tokens_per_minute: 1000, requests_per_minute: 20, concurrency: 3, "
          "tokens: {hour: 1, day: 2, week: 3, month: 4}, "
          "budget: {hour: 0.5, day: 1, week: 1.5, month: 2}, shadow: true}\n",
          "  - name: portal\n    priority: normal\n    claim: app-id\n    header: the-portal\n",
          "  - name: shop\n    limits: {concurrency: 9, shadow: false}\n",
          "  jwt: {jwks_file: keys.json, secret: \"***\", issuer: i, audience: a, client_claim: c, ",
          "  gpt-4o: {prompt: 2.5, cached: 2.5, completion: 10}\n",
          "fairness:\n  tokens_per_minute: 90000\n  concurrency: 50\n", "ledger:\n  path: data/usage.db\n",
          "redis:\n  url: rediss://ann@cache.example:6380/2\n  password: \"***\"\n  sentinels: "
          "[10.0.0.1:26379]\n  "
          "sentinel_password: \"***\"\n  prefix: p\n"})
        EXPECT_THAT(text, HasSubstr(line));
    EXPECT_EQ(text.find("Zx9"), std::string::npos);
}

struct Case {
    const char* text;
    const char* problem;
};
class YamlQuotaProblems : public testing::TestWithParam<Case> {};

TEST_P(YamlQuotaProblems, AreNamed) {
    const auto loaded = load(std::string("backends: [{url: http://127.0.0.1}]\n") + GetParam().text);
    EXPECT_FALSE(loaded.ok());
    EXPECT_THAT(to_string(loaded.problems), HasSubstr(GetParam().problem));
}

const Case kCases[] = {
    {"clients: [{name: a, key: k, limits: {tokens_per_minute: 0}}]",
     "clients[0].limits.tokens_per_minute: expected a whole number from 1"},
    {"clients: [{name: a, key: k, limits: {tokens: {year: 1}}}]", "expected hour, day, week, month"},
    {"clients: [{name: a, key: k, limits: {budget: {day: -1}}}]", "clients[0].limits.budget.day: expected"},
    {"clients: [{name: a, key: k, limits: {budget: {day: 1}}}]", "prices: are needed for the budgets"},
    {"clients: [{name: a, key: k, priority: top}]", "clients[0].priority: expected"},
    {"clients: [{name: a, key: k, deployments: [{}]}]", "clients[0].deployments[0]: expected a deployment"},
    {"clients: [{name: a, claim: x}]", "clients[0] has no key, and identity names no other way"},
    {"teams: [{limits: {}}]", "teams[0]: needs a name"},
    {"teams: [{name: a}, {name: a}]", "teams[1].name: the name a is taken"},
    {"identity: {jwt: {issuer: x}}", "identity.jwt: needs keys"},
    {"identity: {headers: {user: x}}", "identity.headers: needs trusted_proxies"},
    {"identity: {headers: {user: x, trusted_proxies: [10.0.0.0/99]}}", "expected an address or a network"},
    {"identity: {headers: {user: 'x y', trusted_proxies: [10.0.0.1]}}", "expected the name of a header"},
    {"weights: {cached: -1}", "weights.cached: expected"},
    {"prices: {m: {prompt: x}}", "prices.m.prompt: expected"},
    {"ledger: {}", "ledger: needs a path"},
    {"redis: {prefix: p}", "redis: needs a url"},
    {"redis: {url: http://h}", "redis.url: expected a URL like redis://"},
    {"redis: {url: redis://h/x}", "redis.url: expected a URL like redis://"},
    {"redis: {url: redis://h, sentinels: [h]}",
     "redis.sentinels[0]: expected an address and a port, such as 10.0.0.1:26379"},
    {"redis: {url: redis://h, sentinel_password: Zx9}",
     "redis.sentinel_password: is given without sentinels"},
    {"redis: {url: 'redis://:secret@h'}", "redis.url: holds a password"},
};
INSTANTIATE_TEST_SUITE_P(Settings, YamlQuotaProblems, testing::ValuesIn(kCases));

}  // namespace
}  // namespace spillway::config
