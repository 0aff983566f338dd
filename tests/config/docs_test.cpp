// The examples in docs/configuration.md and deploy/examples load, and every key that the loaders know is
// there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "config/fake_sources.hpp"
#include "config/load.hpp"
#include "config/yaml.hpp"

namespace spillway::config {
namespace {

const std::string kRoot = SPILLWAY_SOURCE_DIR;

std::string read(const std::string& path) {
    auto text = read_whole_file(kRoot + "/" + path);
    EXPECT_TRUE(text) << path;
    return text ? *text : "";
}

/// Every variable and file has a value of its own.
Sources all_set() {
    Sources out;
    out.env = [](std::string_view name) { return std::optional("value-of-" + std::string(name)); };
    out.read_file = [](const std::string& path) -> Result<std::string> { return "content-of-" + path; };
    return out;
}

std::vector<std::string> yaml_blocks(const std::string& markdown) {
    std::vector<std::string> out;
    std::istringstream in(markdown);
    bool inside = false;
    for (std::string line; std::getline(in, line);) {
        if (line == "```yaml") {
            out.emplace_back();
            inside = true;
        } else if (line.starts_with("```")) {
            inside = false;
        } else if (inside) {
            out.back() += line + '\n';
        }
    }
    return out;
}

void expect_loads(const std::string& text, const std::string& name) {
    const bool emulator = text.starts_with("# emulator.yaml");
    const auto problems = emulator ? load_emulator(text, name, all_set()).problems
                                   : load_gateway(text, name, all_set()).problems;
    EXPECT_EQ(to_string(problems), "") << text;
}

TEST(Docs, TheExamplesLoad) {
    const auto blocks = yaml_blocks(read("docs/configuration.md"));
    EXPECT_GE(blocks.size(), 4U);
    for (const auto& block : blocks) {
        EXPECT_THAT(block, testing::AnyOf(testing::StartsWith("# gateway.yaml\n"),
                                          testing::StartsWith("# emulator.yaml\n")));
        expect_loads(block, "docs/configuration.md");
    }
    for (const auto* file : {"README.md", "docs/identity.md"})
        for (const auto& block : yaml_blocks(read(file))) expect_loads(block, file);
}

TEST(Docs, TheDeploymentExamplesLoad) {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kRoot + "/deploy/examples")) {
        if (entry.path().extension() != ".yaml") continue;
        ++files;
        const auto name = entry.path().filename().string();
        const auto text = read("deploy/examples/" + name);
        const auto problems = name == "emulator.yaml" ? load_emulator(text, name, all_set()).problems
                                                      : load_gateway(text, name, all_set()).problems;
        EXPECT_EQ(to_string(problems), "");
    }
    EXPECT_GE(files, 3U);
}

/// The keys that an unknown one's problem offers.
std::vector<std::string> offered(const std::vector<Problem>& problems) {
    std::vector<std::string> out;
    const std::string mark = "is not a known key; expected ";
    for (const auto& p : problems) {
        const auto at = p.message.find(mark);
        if (at == std::string::npos) continue;
        std::istringstream in(p.message.substr(at + mark.size()));
        for (std::string key; std::getline(in >> std::ws, key, ',');) out.push_back(key);
    }
    return out;
}

TEST(Docs, EveryKeyIsExplained) {
    const auto text = read("docs/configuration.md");
    const auto middle = text.find("\n## Emulator\n");
    ASSERT_NE(middle, std::string::npos);
    const auto gateway_text = text.substr(0, middle);
    const auto emulator_text = text.substr(middle);

    const auto gateway = offered(load_gateway(R"(
zzzzzzzzzzzzzzz: 1
server: {zzzzzzzzzzzzzzz: 1, tls: {zzzzzzzzzzzzzzz: 1}}
admin: {zzzzzzzzzzzzzzz: 1, oidc: {zzzzzzzzzzzzzzz: 1, roles: {zzzzzzzzzzzzzzz: 1}}}
log: {zzzzzzzzzzzzzzz: 1}
clients: [{zzzzzzzzzzzzzzz: 1, limits: {zzzzzzzzzzzzzzz: 1, tokens: {zzzzzzzzzzzzzzz: 1}, budget: {zzzzzzzzzzzzzzz: 1}}}]
teams: [{zzzzzzzzzzzzzzz: 1}]
users: {zzzzzzzzzzzzzzz: 1}
identity: {jwt: {zzzzzzzzzzzzzzz: 1}, headers: {zzzzzzzzzzzzzzz: 1}, issuers: [{zzzzzzzzzzzzzzz: 1}], zzzzzzzzzzzzzzz: 1}
weights: {zzzzzzzzzzzzzzz: 1}
prices: {m: {zzzzzzzzzzzzzzz: 1}}
fairness: {zzzzzzzzzzzzzzz: 1}
ledger: {zzzzzzzzzzzzzzz: 1}
redis: {zzzzzzzzzzzzzzz: 1}
backends: [{zzzzzzzzzzzzzzz: 1, tls: {zzzzzzzzzzzzzzz: 1}, auth: {zzzzzzzzzzzzzzz: 1}, timeouts: {zzzzzzzzzzzzzzz: 1}}]
retry: {zzzzzzzzzzzzzzz: 1, budget: {zzzzzzzzzzzzzzz: 1}}
stream: {zzzzzzzzzzzzzzz: 1}
limits: {zzzzzzzzzzzzzzz: 1}
)",
                                              "f", all_set())
                                     .problems);
    const auto emulator = offered(load_emulator(R"(
zzzzzzzzzzzzzzz: 1
latency: {zzzzzzzzzzzzzzz: 1}
estimate: {zzzzzzzzzzzzzzz: 1}
resources: [{zzzzzzzzzzzzzzz: 1, deployments: [{zzzzzzzzzzzzzzz: 1}]}]
)",
                                                "f", all_set())
                                      .problems);
    EXPECT_GT(gateway.size(), 110U);
    EXPECT_GT(emulator.size(), 35U);
    const auto explains = [](const std::string& doc, const std::string& key) {
        // As a key of its own, at the end of a dotted one, at its beginning, or as a section.
        for (const auto& form : {"`" + key + "`", "." + key + "`", "`" + key + ".", "`" + key + "…`"})
            if (doc.find(form) != std::string::npos) return true;
        return false;
    };
    for (const auto& key : gateway) EXPECT_TRUE(explains(gateway_text, key)) << key;
    for (const auto& key : emulator) EXPECT_TRUE(explains(emulator_text, key)) << key;
}

}  // namespace
}  // namespace spillway::config
