#include "telemetry/usage_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/json.hpp"
#include "base/strings.hpp"
#include "config/problem.hpp"
#include "telemetry/text.hpp"

namespace spillway::telemetry {
namespace {

constexpr double kCostUnit = 1e-7;

struct Key {
    std::string_view name;
    std::string_view help;
    bool UsageGroups::*wanted;
    std::string UsageTotal::*value;  ///< null: the time
};
constexpr std::array<Key, 9> kKeys{
    {{"minute", "When it began (UTC).", &UsageGroups::minute, nullptr},
     {"hour", "When it began (UTC).", &UsageGroups::hour, nullptr},
     {"client", "", &UsageGroups::client, &UsageTotal::client},
     {"key", "Id of a key made at run time; empty: another's.", &UsageGroups::key, &UsageTotal::key},
     {"user", "", &UsageGroups::user, &UsageTotal::user},
     {"team", "", &UsageGroups::team, &UsageTotal::team},
     {"deployment", "As the client named it.", &UsageGroups::deployment, &UsageTotal::deployment},
     {"backend", "That served; empty: nobody.", &UsageGroups::backend, &UsageTotal::backend},
     {"model", "As the answer named it.", &UsageGroups::model, &UsageTotal::model}}};

struct Sum {
    std::string_view name;
    std::string_view heading;
    std::string_view help;
    std::uint64_t UsageTotal::*value;
};
constexpr std::array<Sum, 11> kSums{
    {{"requests", "requests", "", &UsageTotal::requests},
     {"failed", "failed", "Status 400 or above, refusals among them.", &UsageTotal::failed},
     {"estimated", "estimated", "Requests whose tokens are estimates.", &UsageTotal::estimated},
     {"prompt_tokens", "prompt", "", &UsageTotal::prompt_tokens},
     {"completion_tokens", "completion", "", &UsageTotal::completion_tokens},
     {"cached_tokens", "cached", "Of the prompt's.", &UsageTotal::cached_tokens},
     {"reasoning_tokens", "reasoning", "Of the completion's.", &UsageTotal::reasoning_tokens},
     {"charged_tokens", "charged", "Weighted, as limits count them.", &UsageTotal::charged_tokens},
     {"refused", "refused", "Refused by limits (429, 403) or for want of quota (429).", &UsageTotal::refused},
     {"throttled", "throttled", "429s met at backends.", &UsageTotal::throttled},
     {"spilled", "spilled", "Spilled over to another backend.", &UsageTotal::spilled}}};
/// Those that are not whole numbers.
struct Figure {
    std::string_view name;
    std::string_view help;
    int decimals;
    bool nullable;
    double (*value)(const UsageTotal&);
};
constexpr std::array<Figure, 5> kFigures{
    {{"avoided", "429s that were not met.", 3, false, [](const UsageTotal& t) { return t.avoided; }},
     {"cost", "In the currency of the prices.", 7, false,
      [](const UsageTotal& t) { return static_cast<double>(t.cost) * kCostUnit; }},
     {"mean_ms", "Of the served: from the request to the answer's end; null: none.", 3, true,
      [](const UsageTotal& t) { return t.mean_ms; }},
     {"p50_ms", "Half of the served took no longer; null unless percentiles=true was asked.", 3, true,
      [](const UsageTotal& t) { return t.p50_ms; }},
     {"p95_ms", "95 % of the served took no longer.", 3, true,
      [](const UsageTotal& t) { return t.p95_ms; }}}};
/// The table has these only, to fit a terminal.
constexpr std::span kTableSums = std::span(kSums).first<8>();

constexpr auto kMomentExpected =
    "expected a date (2025-01-31), a time (2025-01-31T12:00:00Z), Unix seconds, or a time "
    "ago (30m, 24h, 7d)";

std::string stamp(Wall t) {
    std::string out;
    Rfc3339().append(out, t);
    return out;
}

std::string key_text(const Key& key, const UsageTotal& total) {
    return key.value == nullptr ? stamp(total.time) : total.*key.value;
}

std::optional<Duration> parse_ago(std::string_view text) {
    if (text.size() < 2) return std::nullopt;
    const auto number = parse_int<std::uint32_t>(text.substr(0, text.size() - 1));
    if (!number || *number > 100'000) return std::nullopt;
    switch (text.back()) {
        case 's':
            return std::chrono::seconds(*number);
        case 'm':
            return std::chrono::minutes(*number);
        case 'h':
            return std::chrono::hours(*number);
        case 'd':
            return std::chrono::days(*number);
        default:
            return std::nullopt;
    }
}

/// YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ.
std::optional<Wall> parse_date(std::string_view text) {
    const auto part = [text](std::size_t at, std::size_t size) {
        return parse_int<unsigned>(text.substr(std::min(at, text.size()), size));
    };
    if (text.size() != 10 && text.size() != 20) return std::nullopt;
    if (text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto year = part(0, 4);
    const auto month = part(5, 2);
    const auto day = part(8, 2);
    if (!year || !month || !day) return std::nullopt;
    const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                           std::chrono::month(*month), std::chrono::day(*day));
    if (!date.ok()) return std::nullopt;
    const Wall midnight = std::chrono::sys_days(date);
    if (text.size() == 10) return midnight;
    const auto hour = part(11, 2);
    const auto minute = part(14, 2);
    const auto second = part(17, 2);
    if (text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z') return std::nullopt;
    if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return midnight + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

}  // namespace

Result<UsageGroups> parse_groups(std::string_view text) {
    UsageGroups out;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view name = trim(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
        const auto* key =
            std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& k) { return k.name == name; });
        if (key == kKeys.end()) {
            std::array<std::string_view, kKeys.size()> names;
            std::ranges::transform(kKeys, names.begin(), &Key::name);
            return fail(
                "expected a list of client, key, user, team, deployment, backend, model, hour, minute" +
                config::did_you_mean(name, names));
        }
        out.*(key->wanted) = true;
    }
    return out;
}

Result<Wall> parse_moment(std::string_view text, Wall now) {
    if (const auto ago = parse_ago(text)) return now - *ago;
    // Unix seconds; what is less than a billion (2001) is a year or a slip.
    if (const auto seconds = parse_int<std::uint32_t>(text); seconds && *seconds >= 1'000'000'000)
        return Wall(std::chrono::seconds(*seconds));
    if (const auto date = parse_date(text)) return *date;
    return fail(kMomentExpected);
}

std::span<const UsageField> usage_fields() {
    static const std::vector<UsageField> all = [] {
        std::vector<UsageField> out;
        for (const Key& key : kKeys) out.push_back({key.name, key.help, true, false});
        for (const Sum& sum : kSums) out.push_back({sum.name, sum.help, false, false});
        for (const Figure& figure : kFigures)
            out.push_back({figure.name, figure.help, false, figure.nullable});
        return out;
    }();
    return all;
}

std::string usage_json(const UsageQuery& query, std::span<const UsageTotal> totals) {
    JsonWriter out;
    out.open().field("from", stamp(query.from)).field("to", stamp(query.to)).key("usage").open_list();
    for (const UsageTotal& total : totals) {
        out.open();
        for (const Key& key : kKeys)
            if (query.by.*key.wanted) out.field(key.name, key_text(key, total));
        for (const Sum& sum : kSums) out.field(sum.name, total.*sum.value);
        for (const Figure& figure : kFigures)
            out.key(figure.name).number(figure.value(total), figure.decimals);
        out.close();
    }
    return out.close_list().close().take() + '\n';
}

std::string usage_table(const UsageQuery& query, std::span<const UsageTotal> totals) {
    std::vector<std::vector<std::string>> rows(1);
    std::size_t texts = 0;
    for (const Key& key : kKeys)
        if (query.by.*key.wanted) {
            rows[0].emplace_back(key.name);
            ++texts;
        }
    for (const Sum& sum : kTableSums) rows[0].emplace_back(sum.heading);
    rows[0].insert(rows[0].end(), {"cost", "mean ms"});
    for (const UsageTotal& total : totals) {
        auto& row = rows.emplace_back();
        for (const Key& key : kKeys)
            if (query.by.*key.wanted) row.push_back(key_text(key, total));
        for (const Sum& sum : kTableSums) row.push_back(std::to_string(total.*sum.value));
        row.push_back(fmt::format("{:.4f}", static_cast<double>(total.cost) * kCostUnit));
        row.push_back(std::isnan(total.mean_ms) ? "-" : fmt::format("{:.1f}", total.mean_ms));
    }
    std::vector<std::size_t> widths(rows[0].size());
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    std::string out;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string padding(widths[i] - row[i].size(), ' ');
            if (i > 0) out += "  ";
            out += i < texts ? row[i] + padding : padding + row[i];
        }
        while (out.ends_with(' ')) out.pop_back();
        out += '\n';
    }
    return out;
}

}  // namespace spillway::telemetry
