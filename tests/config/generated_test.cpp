// What is made from the table of settings and kept in the repository: the tables of docs/configuration.md and
// the schemas in deploy/schema. scripts/generate writes them (SPILLWAY_GENERATE=1); else they must be as they
// would be made.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/settings.hpp"

namespace spillway::config {
namespace {

const std::string kRoot = SPILLWAY_SOURCE_DIR;
constexpr std::string_view kBegin = "<!-- settings: ";
constexpr std::string_view kEnd = "<!-- end of settings -->\n";

std::string read(const std::string& path) {
    std::ifstream in(kRoot + "/" + path);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
}

void expect_kept(const std::string& path, const std::string& made) {
    if (std::getenv("SPILLWAY_GENERATE") != nullptr) {  // NOLINT(concurrency-mt-unsafe)
        std::filesystem::create_directories(std::filesystem::path(kRoot + "/" + path).parent_path());
        std::ofstream(kRoot + "/" + path) << made;
        return;
    }
    EXPECT_TRUE(read(path) == made) << path << " is not what the settings make of it; run scripts/generate";
}

std::string key_cell(const SettingInfo& info, const std::string& above) {
    const auto key = above + info.key;
    if (info.kind != SettingKind::secret) return "`" + key + "`";
    return fmt::format("`{0}`, `{0}_env`, `{0}_file`", key);
}

std::string default_cell(const SettingInfo& info) {
    if (info.needed) return "needed";
    if (!info.default_words.empty()) return info.default_words;
    auto value = info.default_value;
    value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
    return value.empty() ? "" : "`" + value + "`";
}

/// Sections that say nothing of themselves are in their owner's table.
bool is_inlined(const SettingInfo& info) {
    return info.kind == SettingKind::section && info.help.empty();
}

void add_rows(std::string& out, const std::vector<SettingInfo>& infos, const std::string& above) {
    for (const auto& info : infos) {
        if (is_inlined(info)) {
            add_rows(out, info.children, above + info.key + ".");
        } else if (!info.help.empty()) {
            const auto value = default_cell(info);
            out += fmt::format("| {} |{}{}| {}{} |\n", key_cell(info, above),
                               value.empty() ? "" : " " + value, value.empty() ? " " : " ", info.help,
                               info.apply == Apply::restart ? " *(restart)*" : "");
        }
    }
}

/// The keys of `gateway`, `gateway server`, `gateway clients limits`, …; at the top without its sections.
std::vector<SettingInfo> settings_of(const std::string& path) {
    std::istringstream words(path);
    std::string word;
    words >> word;
    auto found = word == "emulator" ? emulator_settings() : gateway_fields().infos();
    const bool top = word == path;
    while (words >> word) {
        const auto at =
            std::find_if(found.begin(), found.end(), [&](const auto& i) { return i.key == word; });
        EXPECT_NE(at, found.end()) << path;
        if (at == found.end()) return {};
        auto children = at->children;
        found = std::move(children);
    }
    if (top && path == "gateway") std::erase_if(found, is_inlined);
    return found;
}

std::string with_tables(const std::string& text) {
    std::string out;
    std::size_t from = 0;
    for (;;) {
        const auto begin = text.find(kBegin, from);
        if (begin == std::string::npos) return out + text.substr(from);
        const auto line_end = text.find(" -->\n", begin);
        const auto end = text.find(kEnd, begin);
        if (line_end == std::string::npos || end == std::string::npos) return text;
        const auto path = text.substr(begin + kBegin.size(), line_end - begin - kBegin.size());
        out += text.substr(from, line_end + 5 - from);
        out += "| Key | Default | Meaning |\n|---|---|---|\n";
        add_rows(out, settings_of(path), "");
        from = end;
    }
}

TEST(Generated, TablesOfTheConfiguration) {
    const std::string path = "docs/configuration.md";
    const auto text = read(path);
    EXPECT_NE(text.find(kBegin), std::string::npos);
    expect_kept(path, with_tables(text));
}

/// Every section has a table, or is a row of one.
TEST(Generated, EverySectionHasItsTable) {
    const auto text = read("docs/configuration.md");
    for (const auto& info : gateway_fields().infos())
        if (!info.children.empty() && info.key != "teams" && info.key != "prices") {
            EXPECT_NE(text.find(fmt::format("{}gateway {} -->", kBegin, info.key)), std::string::npos)
                << info.key;
        }
}

TEST(Generated, Schemas) {
    expect_kept("deploy/schema/gateway.json", gateway_schema());
    expect_kept("deploy/schema/emulator.json", emulator_schema());
}

}  // namespace
}  // namespace spillway::config
