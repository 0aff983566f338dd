// What people write in their first configuration, and what they are told: refused, or warned of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/fake_sources.hpp"
#include "config/load.hpp"

namespace spillway::config {
namespace {

using namespace std::string_view_literals;

struct Mistake {
    std::string_view name;
    std::string_view text;
    bool refused;
    std::vector<std::string_view> lines;  ///< what each problem begins with, all of them
};

void PrintTo(const Mistake& mistake, std::ostream* out) {
    *out << mistake.name;
}

class FirstMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(FirstMistakes, AreNamed) {
    const auto sources = fake_sources({{"SPILLWAY_CONFIG", "f"}}, {{"f", std::string(GetParam().text)}});
    const auto loaded = load_gateway_from(std::nullopt, sources);
    EXPECT_EQ(loaded.ok(), !GetParam().refused);
    ASSERT_EQ(loaded.problems.size(), GetParam().lines.size()) << to_string(loaded.problems);
    for (std::size_t i = 0; i < loaded.problems.size(); ++i)
        EXPECT_THAT(loaded.problems[i].to_string(), testing::StartsWith(std::string(GetParam().lines[i])));
}

const Mistake kMistakes[] = {
    {"TypoInKey",
     "backends:\n  - name: a\n    url: https://one.openai.azure.com\n    api_key: abcdefgh\n    prioritty: "
     "1\n",
     true,
     {"f:5:5: backends[0].prioritty: is not a known key; did you mean priority?"}},
    {"Tab", "backends:\n\t- url: https://one.openai.azure.com\n", true, {"f:2:2: is not YAML: "}},
    {"Indent",
     "backends:\n  - url: https://one.openai.azure.com\n   priority: 1\n",
     true,
     {"f:3:4: is not YAML: "}},
    {"SameName",
     "backends:\n  - {name: a, url: https://one.openai.azure.com, api_key: abcdefgh}\n"
     "  - {name: a, url: https://two.openai.azure.com, api_key: abcdefgh}\n",
     true,
     {"f:3:12: backends[1].name: the name a is taken by backends[0]"}},
    {"NoBackends",
     "server: {listen: 127.0.0.1:8080}\n",
     true,
     {"f:1:1: backends: needs at least one backend with a url"}},
    {"SchemeAndPriority",
     "backends:\n  - {url: htps://one.openai.azure.com, priority: high}\n",
     true,
     {"f:2:11: backends[0].url: has a scheme other than http and https",
      "f:2:50: backends[0].priority: expected a whole number"}},
    {"Units",
     "backends:\n  - {url: http://127.0.0.1, timeouts: {connect: 5 seconds}}\nlimits: {max_body: 32 megs}\n",
     true,
     {"f:2:49: backends[0].timeouts.connect: expected a duration such as 500ms, 10s or 2m",
      "f:3:20: limits.max_body: expected a size such as 64KiB"}},
    {"Interpolation",
     "backends:\n  - {url: https://one.openai.azure.com, api_key: \"${AZURE_KEY}\"}\n",
     false,
     {"f:2:50: backends[0].api_key: warning: is taken as it stands, as there is no interpolation; to take "
      "AZURE_KEY from the environment, give its name in …_env"}},
    {"InterpolatedClient",
     "clients: [{name: web, keys: [\"$WEB_KEY\", \"{{ web_key }}\"]}]\nbackends: [{url: http://127.0.0.1}]\n",
     true,
     {"f:1:30: clients[0].keys[0]: warning: is taken as it stands",
      "f:1:42: clients[0].keys[1]: holds spaces"}},
    {"InterpolationsOfOthers",
     "backends:\n  - {name: a, url: http://127.0.0.1, api_key: os.environ/AZURE_KEY}\n"
     "  - {name: b, url: http://127.0.0.2, api_key: \"${AZURE_KEY:-none}\"}\n"
     "  - {name: c, url: http://127.0.0.3, api_key: YOUR_API_KEY}\n",
     false,
     {"f:2:47: backends[0].api_key: warning: is taken as it stands",
      "f:3:47: backends[1].api_key: warning: is taken as it stands",
      "f:4:47: backends[2].api_key: warning: looks like a placeholder"}},
    {"ShortVariable",
     "clients: [{name: web, key: $KEY}]\nbackends: [{url: http://127.0.0.1}]\n",
     false,
     {"f:1:28: clients[0].key: warning: is taken as it stands"}},
    {"UnknownDeployment",
     "clients: [{name: web, key: abcdefgh, deployments: [gpt-4o, gtp-4o, o3, gpt-4.1-mini]}]\n"
     "backends: [{url: http://127.0.0.1, models: [gpt-4o, gpt-4.1*], deployments: {big: gpt-4o}}]\n",
     false,
     {"f:1:51: clients[0].deployments: warning: gtp-4o is served by no backend; did you mean gpt-4o?",
      "f:1:51: clients[0].deployments: warning: o3 is served by no backend"}},
    {"Placeholder",
     "backends: [{url: https://one.openai.azure.com, api_key: <your-key>}]\n",
     false,
     {"f:1:57: backends[0].api_key: warning: looks like a placeholder that was not filled in"}},
    {"OpenToAll",
     "server: {listen: 0.0.0.0:24999}\nbackends:\n  - {url: https://one.openai.azure.com, api_key: "
     "abcdefgh}\n",
     true,
     {"f:1:1: clients: needs at least one client, as server.listen (0.0.0.0:24999) is open"}},
    {"FilesThatAreNotThere",
     "server: {listen: 0.0.0.0:24999, tls: {cert: nope.pem, key: nope.key}}\nclients:\n"
     "  - {name: x, key_file: missing.key}\nbackends:\n  - {url: http://127.0.0.1}\n",
     true,
     {"f:1:45: server.tls.cert: the file cannot be opened",
      "f:1:60: server.tls.key: the file cannot be opened",
      "f:3:25: clients[0].key_file: the file cannot be opened"}},
    {"WholeEndpoint",
     "backends:\n  - {url: \"https://one.openai.azure.com/openai/deployments/gpt-4o/chat/completions?"
     "api-version=2024-10-21\", api_key: k}\n",
     true,
     {"f:2:11: backends[0].url: names a deployment or an operation; expected a URL like "
      "https://name.openai.azure.com, without what comes after it"}},
    {"WholeOpenAiEndpoint",
     "backends: [{url: https://api.openai.com/v1/chat/completions, api_key: k}]",
     true,
     {"f:1:18: backends[0].url: names a deployment or an operation"}},
    {"TypoAtTheTop",
     "backend:\n  - {url: https://one.openai.azure.com}\n",
     true,
     {"f:1:1: backends: needs at least one backend with a url",
      "f:1:1: backend: is not a known key; did you mean backends?"}},
    {"ShortClientKey",
     "clients: [{name: web, key: \"1\"}]\nbackends: [{url: https://one.openai.azure.com, api_key: k}]\n",
     false,
     {"f:1:28: clients[0].key: warning: has fewer than 8 characters, which can be guessed"}},
    {"FoundryUrls",
     "backends: [{url: https://one.services.ai.azure.com, api_key: k}, {url: "
     "https://one.openai.azure.com/openai/v1/, api_key: k}, {url: https://one.cognitiveservices.azure.com/, "
     "api_key: k}]",
     false,
     {}},
    {"SameUrlTwice",
     "backends: [{name: a, url: https://one.openai.azure.com, api_key: k}, {name: b, url: "
     "https://one.openai.azure.com, api_key: k}]\n",
     false,
     {"f:1:85: backends[1].url: warning: is the same resource with the same deployments as backends[0]"}},
    {"SameUrlWithOtherDeployments",
     "backends: [{name: a, url: http://127.0.0.1, deployment: ptu}, {name: b, url: http://127.0.0.1}]\n",
     false,
     {}},
    {"BudgetWithoutPrices",
     "clients: [{name: web, key: abcdefgh, limits: {budget: {month: 100}}}]\n"
     "backends: [{url: https://one.openai.azure.com, api_key: k}]\n",
     true,
     {"f:1:1: prices: are needed for the budgets that are set"}},
    {"ModelWithoutPrice",
     "clients: [{name: web, key: abcdefgh, limits: {budget: {month: 100}}}]\n"
     "prices: {gpt-4o: {prompt: 2.5, completion: 10}}\n"
     "backends: [{url: https://one.openai.azure.com, api_key: k, models: [o3, gpt-4o-mini, x*]}]\n",
     false,
     {"f:3:68: backends[0].models: warning: o3 has no price, so budgets do not count it"}},
    {"UnknownTeamAndPrice",
     "clients: [{name: web, key: abcdefgh, deployments: [gtp-4o, gpt-4o-2024-08-06], team: shpo, "
     "limits: {budget: {month: 100}}}]\n"
     "teams: [{name: shop, limits: {budget: {month: 10}}}]\nprices: {gpt-4o: {prompt: 2.5, completion: 10}}\n"
     "backends: [{url: https://one.openai.azure.com, api_key: k}]\n",
     false,
     {"f:1:51: clients[0].deployments: warning: gtp-4o has no price, so budgets do not count it; did you "
      "mean "
      "gpt-4o?",
      "f:1:86: clients[0].team: warning: shpo is not in teams, so it has no limits; did you mean shop?"}},
    {"Utf16",
     "\xff\xfe\x62\x00\x61\x00"sv,
     true,
     {"f: is not UTF-8, but UTF-16 or no text; save it as UTF-8"}},
    {"Empty", "\n", true, {"f: is empty; expected at least `backends`"}},
    {"JsonWithTrailingCommas",
     R"({"backends": [{"url": "https://one.openai.azure.com", "api_key": "k",}],})",
     false,
     {}},
    {"JsonWithMoreBehindIt",
     R"({"backends": [{"url": "http://127.0.0.1"}]} {"more": 1})",
     true,
     {"f:1:45: "}},
    {"NoKey",
     "backends: [{url: https://one.openai.azure.com}]\n",
     false,
     {"f:1:18: backends[0].url: warning: has no api_key: requests go to this backend without a credential"}},
};

INSTANTIATE_TEST_SUITE_P(Files, FirstMistakes, testing::ValuesIn(kMistakes),
                         [](const auto& mistake) { return std::string(mistake.param.name); });

TEST(BaseUrls, OfAzuresClientsBeginAtTheResource) {
    const auto sources =
        fake_sources({{"SPILLWAY_CONFIG", "f"}},
                     {{"f", "backends: [{url: https://one.openai.azure.com/openai/v1/, api_key: k}]"}});
    EXPECT_EQ(load_gateway_from(std::nullopt, sources).value.value().backends[0].url.to_string(),
              "https://one.openai.azure.com");
}

}  // namespace
}  // namespace spillway::config
