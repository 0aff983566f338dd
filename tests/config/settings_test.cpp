// What comes from the table of settings besides the parser.
#include "config/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/describe.hpp"
#include "config/fake_sources.hpp"
#include "config/yaml.hpp"

namespace spillway::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

GatewayConfig load(const std::string& text) {
    auto loaded = load_gateway(text, "f", fake_sources({}, {{"c.pem", "C"}, {"keys.json", "{}"}}));
    EXPECT_EQ(loaded.errors(), 0U) << to_string(loaded.problems) << text;
    return loaded.value ? *loaded.value : GatewayConfig{};
}

constexpr const char* kEverythingButSecrets = R"(
server: {listen: "[::1]:8443", threads: 3, tls: {cert: c.pem, key: c.pem}}
admin: {listen: 127.0.0.1:9}
log: {access: "-"}
allow_anonymous: true
backends:
  - {name: a, url: "https://a.example:444/base", kind: openai, priority: 7, weight: 8, tpm: 3, rpm: 4, ptu: true,
     deployments: {gpt-4o: four-o, "a b": "c: d"}, timeouts: {connect: 1s, first_token: 2m, stall: 1500ms},
     tls: {ca_file: c.pem, server_name: other.example}, max_idle_connections: 0}
  - {name: "null", url: "http://127.0.0.1:1", deployment: "- x"}
retry: {max_attempts: 4, budget: {ratio: 0.25, burst: 5}, default_cool_down: 6s, max_cool_down: 7s, max_wait: 3s}
affinity: {prompt_cache: false}
stream: {late_commit: false, max_preamble: 64KiB, include_usage: off}
limits: {max_head: 16KiB, max_body: 100000, max_answer_buffer: 0, max_connections: 99, request_timeout: 90s}
teams: [{name: shop, limits: {concurrency: 9, budget: {day: 0.5}, shadow: true}}]
users: {field: true, limits: {tokens: {week: 3}}}
identity: {headers: {user: x-user, trusted_proxies: [10.0.0.0/8, "::1"]}}
weights: {cached: 0.1}
prices: {gpt-4o: {prompt: 2.5, cached: 1, completion: 10}}
fairness: {concurrency: 50}
ledger: {path: /var/usage.db}
redis: {url: "rediss://ann@cache.example:6380/2", prefix: p, replicas: 3, interval: 20ms}
)";

TEST(Settings, WhatIsDescribedLoadsToTheSame) {
    const GatewayConfig config = load(kEverythingButSecrets);
    GatewayConfig again = load(describe(config));
    std::swap(again.backends.at(0), again.backends.at(1));  // it shows them in the order of their use
    EXPECT_EQ(again, config) << describe(config);
}

TEST(Settings, AnEmulatorThatIsDescribedLoadsToTheSame) {
    const auto sources = fake_sources();
    const auto config = load_emulator(
        "resources: 2\nlatency: {ttft: 1s}\ndeployments: [{name: p, kind: ptu}, {name: q, capacity: 7}]", "f",
        sources);
    ASSERT_TRUE(config.ok());
    const auto again = load_emulator(describe(*config.value), "f", sources);
    EXPECT_EQ(to_string(again.problems), "");
    EXPECT_EQ(describe(*again.value), describe(*config.value));
}

std::vector<std::string> changes(const std::string& before, const std::string& after) {
    std::vector<std::string> out;
    for (const auto& difference : differences(load(before), load(after)))
        out.push_back(difference.to_string());
    return out;
}

TEST(Differences, NameSettingAndValues) {
    EXPECT_THAT(changes("backends: [{url: http://h}]", "backends: [{url: http://h}]"), IsEmpty());
    EXPECT_THAT(changes("backends: [{url: http://h}]\nlimits: {max_body: 1MiB}",
                        "backends: [{url: http://h, weight: 2}]\nlimits: {max_body: 2MiB}"),
                ElementsAre("backends.h.weight: 1 -> 2", "limits.max_body: 1MiB -> 2MiB"));
    EXPECT_THAT(changes("backends: [{name: a, url: http://h}, {name: b, url: http://h}]",
                        "backends: [{name: c, url: http://i}, {name: a, url: http://h}]"),
                ElementsAre("backends.b: removed", "backends.c: added"));
    EXPECT_THAT(changes("backends: [{url: http://h}]", "backends: [{url: http://h, tpm: 5}]"),
                ElementsAre("backends.h.tpm: set to 5"));
}

TEST(Differences, OfSecretsSayOnlyThatTheyChanged) {
    EXPECT_THAT(
        changes("backends: [{url: http://127.0.0.1, api_key: Zx9-one}]\nclients: [{name: a, key: Zx9-two}]",
                "backends: [{url: http://127.0.0.1, api_key: Zx9-new}]\nclients: [{name: a, key: Zx9-own}]"),
        ElementsAre("clients.a.keys: changed", "backends.127.0.0.1.api_key: changed"));
}

TEST(Differences, SayWhatNeedsARestart) {
    const std::string backends = "backends: [{url: http://h}]\n";
    const auto restarts = [&](const std::string& text) {
        const auto all = differences(load(backends), load(backends + text));
        EXPECT_EQ(all.size(), 1U) << text;
        return all.at(0).apply == Apply::restart;
    };
    EXPECT_TRUE(restarts("server: {threads: 2}"));
    EXPECT_TRUE(restarts("redis: {url: redis://h}"));
    EXPECT_TRUE(restarts("ledger: {path: l.db}"));
    EXPECT_FALSE(restarts("retry: {max_attempts: 2}"));
    EXPECT_FALSE(restarts("prices: {m: {prompt: 1}}"));
}

TEST(Reloaded, KeepsWhatNeedsARestart) {
    const std::string backends = "backends: [{url: http://h}]\n";
    const auto running =
        load(backends + "server: {threads: 2}\nredis: {url: redis://h}\nlimits: {max_answer_buffer: 1MiB}");
    const auto fresh =
        load(backends + "server: {threads: 3}\nledger: {path: l.db}\nlimits: {max_answer_buffer: 2MiB}");
    const auto used = reloaded(running, fresh);
    EXPECT_EQ(used.threads, 2U);
    EXPECT_EQ(used.redis.host, "h");
    EXPECT_EQ(used.ledger, "");
    EXPECT_EQ(used.limits.max_answer_buffer_bytes, 2U * 1024 * 1024);
    std::vector<std::string> left;
    for (const auto& difference : differences(used, fresh)) left.push_back(difference.to_string());
    EXPECT_THAT(left, ElementsAre("server.threads: 2 -> 3", "redis: removed", "ledger: added"));
    for (const auto& difference : differences(running, used)) EXPECT_EQ(difference.apply, Apply::live);
}

/// Each leaf of the tables with its path.
void collect(const std::vector<SettingInfo>& infos, const std::string& above, std::vector<std::string>& bad) {
    for (const auto& info : infos) {
        const auto path = above.empty() ? info.key : above + '.' + info.key;
        if (!info.children.empty()) {
            collect(info.children, path, bad);
            continue;
        }
        if (info.help.empty()) bad.push_back(path + " has no help");
        if (info.help.ends_with('.')) bad.push_back(path + ": its help is no phrase");
        if (info.kind == SettingKind::choice && info.choices.empty()) bad.push_back(path + " has no choices");
    }
}

TEST(Settings, EachIsExplained) {
    std::vector<std::string> bad;
    collect(gateway_fields().infos(), "", bad);
    collect(emulator_settings(), "", bad);
    EXPECT_THAT(bad, IsEmpty());
}

}  // namespace
}  // namespace spillway::config
