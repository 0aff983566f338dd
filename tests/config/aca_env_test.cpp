#include "config/aca_env.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/describe.hpp"
#include "config/fake_sources.hpp"
#include "config/key_digest.hpp"
#include "config/load.hpp"

namespace spillway::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kOpen =
    "SPILLWAY_CLIENT_KEY: warning: is not set: whoever can connect is served, as by openai-aca-lb; set it to "
    "ask for a key\n";

/// The table of the sample's README.
Texts sample() {
    return {{"BACKEND_1_URL", "https://andre-openai.openai.azure.com"},
            {"BACKEND_1_PRIORITY", "1"},
            {"BACKEND_1_APIKEY", "key-of-one"},
            {"BACKEND_2_URL", "https://two.openai.azure.com/"},
            {"BACKEND_2_PRIORITY", "2"},
            {"BACKEND_2_APIKEY", "key-of-two"},
            {"BACKEND_2_DEPLOYMENT_NAME", "chat"},
            {"PATH", "/bin"}};
}

Texts with(Texts texts, const Texts& more) {
    for (const auto& [name, value] : more) texts.insert_or_assign(name, value);
    return texts;
}

std::string problems_of(const Texts& env) {
    return to_string(load_aca_env(fake_sources(env)).problems);
}

TEST(AcaEnv, TheSampleIsUnderstoodAsItIs) {
    const auto loaded = load_aca_env(fake_sources(sample()));
    ASSERT_TRUE(loaded.ok()) << to_string(loaded.problems);
    EXPECT_EQ(to_string(loaded.problems), kOpen);
    const auto& c = *loaded.value;
    EXPECT_EQ(c.listen, (ListenConfig{"0.0.0.0", 8080}));
    EXPECT_EQ(c.admin, AdminConfig{});
    EXPECT_TRUE(c.allow_anonymous);
    ASSERT_EQ(c.backends.size(), 2U);
    BackendConfig one;
    one.name = "backend-1";
    one.url = {true, "andre-openai.openai.azure.com", 443, ""};
    one.api_key = Secret("key-of-one");
    one.timeouts.first_token = one.timeouts.stall = 100s;
    EXPECT_EQ(c.backends[0], one);
    EXPECT_EQ(c.backends[1].priority, 2U);
    EXPECT_EQ(c.backends[1].deployment, "chat");
    EXPECT_EQ(c.backends[1].url.base_path, "");
}

TEST(AcaEnv, NumbersMayHaveGapsAndAreOrderedAsNumbers) {
    Texts env;
    for (const auto* n : {"10", "9", "2"}) {
        env[std::string("BACKEND_") + n + "_URL"] = std::string("http://h") + n;
        env[std::string("BACKEND_") + n + "_PRIORITY"] = "1";
        env[std::string("BACKEND_") + n + "_APIKEY"] = "k";
    }
    const auto loaded = load_aca_env(fake_sources(env));
    ASSERT_TRUE(loaded.ok());
    std::vector<std::string> names;
    for (const auto& b : loaded.value->backends) names.push_back(b.name);
    EXPECT_THAT(names, ElementsAre("backend-2", "backend-9", "backend-10"));
}

TEST(AcaEnv, CaseAndSpacesDoNotMatterAsInTheSample) {
    const auto loaded = load_aca_env(fake_sources({{"backend_1_url", " http://127.0.0.1 "},
                                                   {"Backend_1_Priority", " 3 "},
                                                   {"BACKEND_1_ApiKey", " k\n"}}));
    ASSERT_TRUE(loaded.ok()) << to_string(loaded.problems);
    EXPECT_EQ(loaded.value->backends[0].priority, 3U);
    EXPECT_EQ(loaded.value->backends[0].api_key.reveal(), "k");
}

TEST(AcaEnv, TheTimeoutIsOneOfActivity) {
    const auto loaded = load_aca_env(fake_sources(with(sample(), {{"HTTP_TIMEOUT_SECONDS", "900"}})));
    ASSERT_TRUE(loaded.ok());
    EXPECT_EQ(loaded.value->backends[0].timeouts.first_token, 900s);
    EXPECT_EQ(loaded.value->backends[1].timeouts.stall, 900s);
    EXPECT_EQ(loaded.value->limits.request_timeout, 900s);
}

TEST(AcaEnv, ListensWhereItIsTold) {
    const auto listen = [](const Texts& more) {
        const auto loaded = load_aca_env(fake_sources(with(sample(), more)));
        return loaded.ok() ? loaded.value->listen : ListenConfig{"", 0};
    };
    EXPECT_EQ(listen({{"ASPNETCORE_HTTP_PORTS", "80"}}), (ListenConfig{"0.0.0.0", 80}));
    EXPECT_EQ(listen({{"SPILLWAY_LISTEN", "127.0.0.1:1"}, {"ASPNETCORE_HTTP_PORTS", "80"}}),
              (ListenConfig{"127.0.0.1", 1}));
    EXPECT_EQ(listen({{"PORT", "80"}}), (ListenConfig{"0.0.0.0", 8080}));
}

TEST(AcaEnv, ClientAndAdminCanBeClosed) {
    const auto loaded = load_aca_env(fake_sources(with(sample(), {{"SPILLWAY_CLIENT_KEY", "ck"},
                                                                  {"SPILLWAY_ADMIN_LISTEN", "0.0.0.0:9"},
                                                                  {"SPILLWAY_ADMIN_TOKEN", "at"}})));
    EXPECT_EQ(to_string(loaded.problems), "");
    ASSERT_TRUE(loaded.ok());
    EXPECT_FALSE(loaded.value->allow_anonymous);
    EXPECT_EQ(loaded.value->clients, (std::vector<ClientConfig>{{"default", {digest_of("ck")}}}));
    EXPECT_EQ(loaded.value->admin, (AdminConfig{true, {"0.0.0.0", 9}, Secret("at"), {}, {}}));
}

TEST(AcaEnv, ProblemsNameTheVariable) {
    const std::string url = "https://h", open = kOpen;
    EXPECT_EQ(problems_of({{"BACKEND_3_APIKEY", "k"}}),
              open +
                  "BACKEND_3_URL: is not set; each backend needs a URL and a priority\n"
                  "BACKEND_3_PRIORITY: is not set; each backend needs a URL and a priority\n");
    EXPECT_EQ(problems_of(with(sample(), {{"BACKEND_1_PRIORITY", "high"}})),
              open + "BACKEND_1_PRIORITY: expected a whole number from 0 to 2147483647\n");
    EXPECT_EQ(problems_of(with(sample(), {{"BACKEND_1_PRIORITY", ""}})),
              open + "BACKEND_1_PRIORITY: expected a whole number from 0 to 2147483647\n");
    EXPECT_EQ(problems_of(with(sample(), {{"BACKEND_2_URL", "two.openai.azure.com"}})),
              open + "BACKEND_2_URL: is not a URL; expected a URL like https://name.openai.azure.com\n");
    EXPECT_EQ(
        problems_of(with(sample(), {{"BACKEND_2_APIKEY", "Zx9 very secret"}})),
        open +
            "BACKEND_2_APIKEY: holds spaces, line breaks or characters outside ASCII, which a key cannot\n");
    EXPECT_EQ(problems_of(with(sample(), {{"BACKEND_2_APIKEY", ""}})), open);
    EXPECT_EQ(problems_of(with(sample(), {{"BACKEND_2_URL", "http://two"}})),
              open + "BACKEND_2_URL: warning: is not https: the API key can be read on its way\n");
    EXPECT_EQ(problems_of(with(sample(), {{"BACKEND_1_API_KEY", "k"}})),
              "BACKEND_1_API_KEY: warning: is not used; did you mean BACKEND_1_APIKEY?\n" + open);
    EXPECT_EQ(problems_of(with(sample(), {{"BACKEND_1_COLOUR_OF_IT", "k"}})),
              "BACKEND_1_COLOUR_OF_IT: warning: is not used\n" + open);
    for (const auto* bad : {"", "0", "1.5", "-3", "86401"})
        EXPECT_EQ(problems_of(with(sample(), {{"HTTP_TIMEOUT_SECONDS", bad}})),
                  open + "HTTP_TIMEOUT_SECONDS: expected a whole number of seconds from 1 to 86400\n");
    for (const auto* bad : {"0", "80;81", "x", "65536"})
        EXPECT_EQ(problems_of(with(sample(), {{"ASPNETCORE_HTTP_PORTS", bad}})),
                  "ASPNETCORE_HTTP_PORTS: expected one port from 1 to 65535; for anything else set "
                  "SPILLWAY_LISTEN\n" +
                      open);
    EXPECT_THAT(problems_of(with(sample(), {{"SPILLWAY_LISTEN", "8080"}})),
                HasSubstr("SPILLWAY_LISTEN: expected an address and a port"));
    EXPECT_THAT(problems_of(with(sample(), {{"SPILLWAY_ADMIN_LISTEN", "8080"}})),
                HasSubstr("SPILLWAY_ADMIN_LISTEN: expected an address and a port"));
    EXPECT_EQ(problems_of(with(sample(), {{"SPILLWAY_ADMIN_LISTEN", "0.0.0.0:1"}})),
              open +
                  "SPILLWAY_ADMIN_TOKEN: warning: is not set: whoever can connect sees the backends and "
                  "clients\n");
    EXPECT_EQ(
        problems_of(with(sample(), {{"ASPNETCORE_URLS", "http://+:80"}})),
        "ASPNETCORE_URLS: warning: is not used; set SPILLWAY_LISTEN to listen elsewhere than 0.0.0.0:8080\n" +
            open);
    EXPECT_EQ(problems_of({}), open +
                                   "BACKEND_1_URL: no backend is set; expected BACKEND_1_URL and "
                                   "BACKEND_1_PRIORITY at least\n");
}

TEST(AcaEnv, ABadClientKeyNeverOpensTheGateway) {
    for (const auto* bad : {"", "  ", "Zx9 very secret"}) {
        const auto loaded = load_aca_env(fake_sources(with(sample(), {{"SPILLWAY_CLIENT_KEY", bad}})));
        EXPECT_FALSE(loaded.ok());
        EXPECT_THAT(to_string(loaded.problems), HasSubstr("SPILLWAY_CLIENT_KEY: "));
        EXPECT_THAT(to_string(loaded.problems), Not(HasSubstr("Zx9")));
    }
}

TEST(AcaEnv, IsRecognisedByItsNames) {
    const auto has = [](const char* name) { return has_aca_env(fake_sources({{name, "x"}})); };
    EXPECT_TRUE(has("BACKEND_1_URL"));
    EXPECT_TRUE(has("backend_007_apikey"));
    // What Kubernetes sets for a service called `backend`.
    EXPECT_FALSE(has("BACKEND_SERVICE_HOST"));
    EXPECT_FALSE(has("BACKEND_PORT_8080_TCP_ADDR"));
    EXPECT_FALSE(has("BACKEND_1"));
    EXPECT_FALSE(has("BACKEND__URL"));
    EXPECT_FALSE(has("BACKEND_-1_URL"));
    EXPECT_FALSE(has("MY_BACKEND_1_URL"));
}

TEST(LoadGatewayFrom, TakesTheFileThenTheVariableThenTheEnvironment) {
    const Texts files{{"a.yaml", "backends: [{name: a, url: http://127.0.0.1}]"},
                      {"b.yaml", "backends: [{name: b, url: http://127.0.0.1}]"}};
    const auto name = [&](std::optional<std::string> path, Texts env) {
        const auto loaded = load_gateway_from(path, fake_sources(std::move(env), files));
        return loaded.ok() ? loaded.value->backends[0].name : to_string(loaded.problems);
    };
    const auto both = with(sample(), {{"SPILLWAY_CONFIG", "b.yaml"}});
    EXPECT_EQ(name("a.yaml", both), "a");
    EXPECT_EQ(name(std::nullopt, both), "b");
    EXPECT_EQ(name("", both), "b");
    EXPECT_EQ(name(std::nullopt, sample()), "backend-1");
    EXPECT_EQ(name("none.yaml", sample()), "none.yaml: cannot be opened: No such file or directory\n");
    EXPECT_EQ(name(std::nullopt, with(sample(), {{"SPILLWAY_CONFIG", "none.yaml"}})),
              "none.yaml: cannot be opened: No such file or directory\n");
    EXPECT_EQ(name(std::nullopt, {{"SPILLWAY_CONFIG", ""}}),
              "no configuration; expected --config FILE, SPILLWAY_CONFIG=FILE, or BACKEND_1_URL and "
              "BACKEND_1_PRIORITY in the environment\n");
}

}  // namespace
}  // namespace spillway::config
