// Two runs beside each other.
#include <fmt/format.h>

#include <cmath>

#include "base/html.hpp"
#include "load/noise.hpp"
#include "load/page.hpp"
#include "load/report.hpp"

namespace spillway::load {
namespace {

using Table = std::vector<std::vector<std::string>>;

std::string difference(double before, double after) {
    if (before == after) return "same";
    if (before == 0 || std::isnan(before) || std::isnan(after)) return "";
    return fmt::format("{:+.3g} %", (after / before - 1) * 100);
}

/// The interval, and that it is noise where no difference lies within it.
std::string certainty(const std::optional<Interval>& interval) {
    if (!interval) return "";
    return fmt::format("{:+.3g} to {:+.3g} %{}", interval->low * 100, interval->high * 100,
                       interval->has_zero() ? ": noise" : "");
}

double quantile(const Histogram& h, double q) {
    return h.empty() ? std::nan("") : to_seconds(h.quantile(q));
}

struct Names {
    std::string before;
    std::string after;
};

Names names_of(const Record& before, const Record& after) {
    if (before.name != after.name) return {before.name, after.name};
    return {before.name + " (1)", after.name + " (2)"};
}

Table figures(const Record& a, const Record& b, const Names& names) {
    Table out{{"", names.before, names.after, "difference", "95 % interval"}};
    Rng rng(1);  // the same report each time
    const auto add = [&](std::string_view what, double x, double y, std::string (*show)(double),
                         const std::optional<Interval>& interval) {
        out.push_back({std::string(what), show(x), show(y), difference(x, y), certainty(interval)});
    };
    const auto times = [&](std::string_view what, const Histogram& x, const Histogram& y) {
        if (x.empty() && y.empty()) return;
        for (const double q : {0.5, 0.95, 0.99})
            add(fmt::format("{}, p{:g}", what, q * 100), quantile(x, q), quantile(y, q), show_seconds,
                quantile_difference(x, y, q, rng));
    };
    add("requests due per second", a.offered_rate(), b.offered_rate(), show_number, std::nullopt);
    add("answered per second", a.ok_rate(), b.ok_rate(), show_number,
        rate_difference(a.ok, a.seconds, b.ok, b.seconds, rng));
    const auto share = [&](std::string_view what, std::uint64_t x, std::uint64_t y) {
        const auto of = [](std::uint64_t n, const Record& r) {
            return r.ended() == 0 ? 0 : static_cast<double>(n) / static_cast<double>(r.ended());
        };
        out.push_back(
            {std::string(what), show_share(of(x, a)), show_share(of(y, b)),
             of(x, a) == of(y, b) ? "same" : fmt::format("{:+.3g} points", (of(y, b) - of(x, a)) * 100),
             certainty(rate_difference(x, static_cast<double>(a.ended()), y, static_cast<double>(b.ended()),
                                       rng))});
    };
    share("failed, throttled included", a.throttled + a.failed, b.throttled + b.failed);
    share("throttled (429)", a.throttled, b.throttled);
    add("tokens a minute", a.tokens_per_minute(), b.tokens_per_minute(), show_number, std::nullopt);
    times("first token", a.ttft, b.ttft);
    times("whole answer", a.latency, b.latency);
    times("between tokens", a.gap, b.gap);
    return out;
}

Table settings(const Record& a, const Record& b, const Names& names) {
    Table out{{"setting", names.before, names.after}};
    const auto find = [](const Record& r, std::string_view name) {
        for (const auto& [key, value] : r.settings)
            if (key == name) return value;
        return std::string("–");
    };
    for (const auto& [name, value] : a.settings) out.push_back({name, value, find(b, name)});
    for (const auto& [name, value] : b.settings)
        if (find(a, name) == "–") out.push_back({name, "–", value});
    return out;
}

/// The longer run gives the x; both begin at their own begin.
Plot both_over_time(const Record& a, const Record& b, const Names& names, std::string title, std::string note,
                    const std::function<std::vector<double>(const Record&)>& values) {
    const Record& longer = a.rows.size() >= b.rows.size() ? a : b;
    Plot p = time_plot(longer, std::move(title), std::move(note));
    p.series = {{names.before, "c2", values(a), false}, {names.after, "c1", values(b), false}};
    return p;
}

std::string figures_over_time(const Record& a, const Record& b, const Names& names) {
    if (a.step_seconds != b.step_seconds)
        return "<p>The runs differ too much in length for a common plot over time.</p>\n";
    std::string out = "<div class=\"plots\">\n";
    Plot rate =
        both_over_time(a, b, names, "Answered", "Requests per second that were ok",
                       [](const Record& r) { return rate_column(r, [](const Row& row) { return row.ok; }); });
    rate.unit = "/s";
    out += figure(rate);
    Plot failed =
        both_over_time(a, b, names, "Failed", "Requests per second, throttled included", [](const Record& r) {
            return rate_column(r, [](const Row& row) { return row.failed + row.throttled; });
        });
    failed.unit = "/s";
    out += figure(failed);
    Plot ttft = both_over_time(a, b, names, "Time to first token, p95", "Of each step", [](const Record& r) {
        return column(r, [](const Row& row) { return measured(row.ttft_p95); });
    });
    ttft.y_kind = Plot::Y::seconds;
    out += figure(ttft);
    Plot latency = both_over_time(a, b, names, "Whole answer, p95", "Of each step", [](const Record& r) {
        return column(r, [](const Row& row) { return measured(row.latency_p95); });
    });
    latency.y_kind = Plot::Y::seconds;
    out += figure(latency);
    return out + "</div>\n";
}

}  // namespace

std::string html_comparison(const Record& a, const Record& b) {
    const Names names = names_of(a, b);
    const std::string title = fmt::format("{} beside {}", names.after, names.before);
    std::string body = fmt::format("<h1>{}</h1><p>{} and {}</p>\n", escape_html(title),
                                   escape_html(b.started), escape_html(a.started));
    body += html_table("Figures", figures(a, b, names));
    body +=
        "<p>The interval says where the difference lies with 95 % certainty, by drawing each run's values "
        "anew "
        "(bootstrap); where it holds zero, the difference may be chance. It knows of no drift between the "
        "runs.</p>\n";
    body += "<h2>Over time</h2>";
    body += figures_over_time(a, b, names);
    body += "<h2>Distributions</h2><div class=\"plots\">\n";
    const std::string note = "A point says: so many percent took no longer than this";
    body +=
        figure(quantile_plot("Time to first token", note,
                             {{names.before, "c2", &a.ttft, false}, {names.after, "c1", &b.ttft, false}}));
    body += figure(
        quantile_plot("Whole answer", note,
                      {{names.before, "c2", &a.latency, false}, {names.after, "c1", &b.latency, false}}));
    const auto backends = backend_names({&a, &b});
    if (!backends.empty()) {
        body += figure(backend_plot(a, backends, "Backends: " + names.before));
        body += figure(backend_plot(b, backends, "Backends: " + names.after));
    }
    body += "</div>\n";
    body += html_table("What was run", settings(a, b, names));
    return html_page(title, body);
}

}  // namespace spillway::load
