#include "telemetry/usage_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/strings.hpp"
#include "telemetry/text.hpp"

namespace spillway::telemetry {
namespace {

struct Key {
    std::string_view name;
    bool UsageGroups::*wanted;
    std::string UsageTotal::*value;  ///< null: the time
};
constexpr std::array<Key, 8> kKeys{{{"minute", &UsageGroups::minute, nullptr},
                                    {"hour", &UsageGroups::hour, nullptr},
                                    {"client", &UsageGroups::client, &UsageTotal::client},
                                    {"user", &UsageGroups::user, &UsageTotal::user},
                                    {"team", &UsageGroups::team, &UsageTotal::team},
                                    {"deployment", &UsageGroups::deployment, &UsageTotal::deployment},
                                    {"backend", &UsageGroups::backend, &UsageTotal::backend},
                                    {"model", &UsageGroups::model, &UsageTotal::model}}};

struct Sum {
    std::string_view name;
    std::string_view heading;
    std::uint64_t UsageTotal::*value;
};
constexpr std::array<Sum, 11> kSums{{{"requests", "requests", &UsageTotal::requests},
                                     {"failed", "failed", &UsageTotal::failed},
                                     {"estimated", "estimated", &UsageTotal::estimated},
                                     {"prompt_tokens", "prompt", &UsageTotal::prompt_tokens},
                                     {"completion_tokens", "completion", &UsageTotal::completion_tokens},
                                     {"cached_tokens", "cached", &UsageTotal::cached_tokens},
                                     {"reasoning_tokens", "reasoning", &UsageTotal::reasoning_tokens},
                                     {"charged_tokens", "charged", &UsageTotal::charged_tokens},
                                     {"refused", "refused", &UsageTotal::refused},
                                     {"throttled", "throttled", &UsageTotal::throttled},
                                     {"spilled", "spilled", &UsageTotal::spilled}}};
/// The table has these only, to fit a terminal.
constexpr std::span kTableSums = std::span(kSums).first<8>();

constexpr double kCostUnit = 1e-7;
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
        if (key == kKeys.end())
            return fail("expected a list of client, user, team, deployment, backend, model, hour, minute");
        out.*(key->wanted) = true;
    }
    return out;
}

Result<Wall> parse_moment(std::string_view text, Wall now) {
    if (const auto ago = parse_ago(text)) return now - *ago;
    if (const auto seconds = parse_int<std::uint32_t>(text)) return Wall(std::chrono::seconds(*seconds));
    if (const auto date = parse_date(text)) return *date;
    return fail(kMomentExpected);
}

std::string usage_json(const UsageQuery& query, std::span<const UsageTotal> totals) {
    std::string out = fmt::format(R"({{"from":"{}","to":"{}","usage":[)", stamp(query.from), stamp(query.to));
    for (const UsageTotal& total : totals) {
        out += &total == totals.data() ? "{" : ",{";
        for (const Key& key : kKeys) {
            if (!(query.by.*key.wanted)) continue;
            Pen pen(out, 64);
            pen.byte('"');
            pen.text(key.name);
            pen.text("\":\"");
            append_json_text(pen, key_text(key, total), 1024);
            pen.text("\",");
        }
        for (const Sum& sum : kSums)
            fmt::format_to(std::back_inserter(out), "\"{}\":{},", sum.name, total.*sum.value);
        fmt::format_to(std::back_inserter(out), "\"avoided\":{:.3f},\"cost\":{:.7f},\"mean_ms\":{:.3f}}}",
                       total.avoided, static_cast<double>(total.cost) * kCostUnit, total.mean_ms);
    }
    out += "]}\n";
    return out;
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
        row.push_back(fmt::format("{:.1f}", total.mean_ms));
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
