#include "load/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/html.hpp"

namespace spillway::load {
namespace {

constexpr std::string_view style = R"css(
:root{color-scheme:light dark;--page:#f7f8fa;--card:#fff;--ink:#1c2530;--soft:#5b6774;--line:#dde2e8;--axis:#9aa5b1;
--c1:#2a6fc9;--c2:#d9701a;--c3:#1b9a77;--c4:#b8860b;--c5:#c4527f;--c6:#6a4fb3;--c7:#5f7d1f;--c8:#6b7785;
--good:#1b8a5a;--warn:#c98a00;--bad:#c93a3a}
@media(prefers-color-scheme:dark){:root{--page:#12161b;--card:#1a2027;--ink:#e6ebf0;--soft:#9fabb8;--line:#2c353f;
--axis:#5c6875;--c1:#5a9cf0;--c2:#f0904a;--c3:#3fc29c;--c4:#dcb03a;--c5:#e884ac;--c6:#a58be8;--c7:#9cbf54;--c8:#94a0ad;
--good:#3fbf86;--warn:#e3aa33;--bad:#f06a6a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
main{max-width:1180px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:26px;margin:0 0 2px}h2{font-size:17px;margin:34px 0 10px}
p{margin:4px 0 0;color:var(--soft)}
.badge{display:inline-block;padding:2px 12px;border-radius:99px;font-size:15px;vertical-align:middle;color:#fff;
margin-left:10px}.badge.pass{background:#1b7a50}.badge.fail{background:#b93434}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:20px 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}
.tile b{display:block;font-size:23px;font-weight:600}.tile span{color:var(--soft);font-size:13px}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(520px,100%),1fr));gap:14px}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 14px 6px}
figcaption span{display:block;color:var(--soft);font-size:13px}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin-top:6px;font-size:13px;color:var(--soft)}
.legend i{display:inline-block;width:14px;height:0;border-top:4px solid;margin-right:6px;vertical-align:middle}
.legend i.dashed{border-top-style:dotted}
svg{display:block;width:100%;height:auto;margin-top:6px}
svg text{font:15px system-ui,sans-serif;fill:var(--soft)}
.grid{stroke:var(--line)}.axis,.tick{stroke:var(--axis)}
.line{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}.dashed{stroke-dasharray:5 4}
.column,.dot{fill:currentColor}.hover{fill:transparent}.hover:hover{fill:var(--soft);fill-opacity:.14}
.none{padding:30px 0 36px;text-align:center}
.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}.c5{color:var(--c5)}
.c6{color:var(--c6)}.c7{color:var(--c7)}.c8{color:var(--c8)}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(340px,100%),1fr));gap:0 26px}
table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--line)}
td,th{padding:5px 12px;border-bottom:1px solid var(--line);text-align:right;font-variant-numeric:tabular-nums}
th{color:var(--soft);font-weight:600}td:first-child,th:first-child{text-align:left}
td{overflow-wrap:anywhere}.scroll{overflow-x:auto}
)css";

}  // namespace

std::string html_page(std::string_view title, std::string_view body) {
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{}</title>\n"
        "<style>{}</style></head>\n<body><main>\n{}</main></body></html>\n",
        escape_html(title), style, body);
}

std::string html_table(std::string_view title, const std::vector<std::vector<std::string>>& rows) {
    if (rows.size() < 2) return {};
    std::string out = fmt::format("<section><h2>{}</h2><div class=\"scroll\"><table>\n", escape_html(title));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        out += "<tr>";
        const std::string_view tag = i == 0 ? "th" : "td";
        for (const std::string& cell : rows[i]) {
            // The two words of a verdict are set in its colour.
            std::string_view mark;
            if (cell == "met") mark = " class=\"good\"";
            if (cell == "missed") mark = " class=\"bad\"";
            out += fmt::format("<{}{}>{}</{}>", tag, mark, escape_html(cell), tag);
        }
        out += "</tr>\n";
    }
    return out + "</table></div></section>\n";
}

double measured(double seconds) noexcept {
    return seconds < 0 ? std::numeric_limits<double>::quiet_NaN() : seconds;
}

std::vector<double> column(const Record& run, const std::function<double(const Row&)>& value) {
    std::vector<double> out;
    out.reserve(run.rows.size());
    for (const Row& row : run.rows) out.push_back(value(row));
    return out;
}

std::vector<double> rate_column(const Record& run, const std::function<std::uint64_t(const Row&)>& count) {
    const double step = run.step_seconds > 0 ? run.step_seconds : 1;
    return column(run, [&](const Row& row) { return static_cast<double>(count(row)) / step; });
}

Plot time_plot(const Record& run, std::string title, std::string note) {
    Plot out;
    out.title = std::move(title);
    out.note = std::move(note);
    out.x = column(run, [](const Row& row) { return row.second; });
    out.x_step = run.step_seconds;
    return out;
}

std::vector<std::string> backend_names(const std::vector<const Record*>& runs) {
    std::set<std::string> names;
    for (const Record* run : runs)
        for (const Row& row : run->rows)
            for (const auto& [name, count] : row.backends) names.insert(name);
    return {names.begin(), names.end()};
}

Plot backend_plot(const Record& run, const std::vector<std::string>& order, std::string title) {
    constexpr std::size_t colours = 8;
    Plot out = time_plot(run, std::move(title), "Answers per second of each, as x-spillway-backend tells");
    out.stacked = true;
    out.unit = "/s";
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::string& name = order[i];
        auto rates = rate_column(run, [&](const Row& row) {
            const auto found = row.backends.find(name);
            return found == row.backends.end() ? 0 : found->second;
        });
        out.series.push_back({name, fmt::format("c{}", i % colours + 1), std::move(rates), false});
    }
    return out;
}

Plot quantile_plot(std::string title, std::string note, const std::vector<Curved>& curves) {
    Plot out;
    out.title = std::move(title);
    out.note = std::move(note);
    out.x_kind = Plot::X::percentile;
    out.y_kind = Plot::Y::seconds;
    std::uint64_t most = 0;
    for (const Curved& c : curves) most = std::max(most, c.histogram->count());
    if (most == 0) return out;
    // As many nines as there are values to tell them from.
    const double end = std::clamp(std::log10(static_cast<double>(most)), 1.0, 6.0);
    constexpr int steps = 100;
    for (int i = 0; i <= steps; ++i) out.x.push_back(end * i / steps);
    for (const Curved& c : curves) {
        if (c.histogram->empty()) continue;
        std::vector<double> y;
        y.reserve(out.x.size());
        for (const double x : out.x) y.push_back(to_seconds(c.histogram->quantile(1 - std::pow(10, -x))));
        out.series.push_back({c.name, c.colour, std::move(y), c.dashed});
    }
    return out;
}

std::string show_share(double share) {
    return fmt::format("{:.3g} %", share * 100);
}

}  // namespace spillway::load
