// Two runs beside each other.
#include <fmt/format.h>

#include <cmath>

#include "base/html.hpp"
#include "base/json.hpp"
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

/// One figure of both runs.
struct Figure {
    enum class Unit : std::uint8_t { number, seconds, share };
    std::string name;   ///< in JSON
    std::string title;  ///< for people
    Unit unit = Unit::number;
    double before = 0;
    double after = 0;
    std::optional<Interval> interval;
};

std::vector<Figure> figures_of(const Record& a, const Record& b) {
    using Unit = Figure::Unit;
    std::vector<Figure> out;
    Rng rng(1);  // the same report each time
    const auto times = [&](std::string_view name, std::string_view title, const Histogram& x,
                           const Histogram& y) {
        if (x.empty() && y.empty()) return;
        for (const double q : {0.5, 0.95, 0.99})
            out.push_back({fmt::format("p{:g}_{}_seconds", q * 100, name),
                           fmt::format("{}, p{:g}", title, q * 100), Unit::seconds, quantile(x, q),
                           quantile(y, q), quantile_difference(x, y, q, rng)});
    };
    const auto share = [&](std::string_view name, std::string_view title, std::uint64_t x, std::uint64_t y) {
        const auto all = [](const Record& r) { return static_cast<double>(r.ended()); };
        const auto of = [&](std::uint64_t n, const Record& r) {
            return r.ended() == 0 ? 0 : static_cast<double>(n) / all(r);
        };
        out.push_back({std::string(name), std::string(title), Unit::share, of(x, a), of(y, b),
                       rate_difference(x, all(a), y, all(b), rng)});
    };
    out.push_back({"offered_rate", "requests due per second", Unit::number, a.offered_rate(),
                   b.offered_rate(), std::nullopt});
    out.push_back({"rate", "answered per second", Unit::number, a.ok_rate(), b.ok_rate(),
                   rate_difference(a.ok, a.seconds, b.ok, b.seconds, rng)});
    share("error_rate", "failed, throttled included", a.throttled + a.failed, b.throttled + b.failed);
    share("throttle_rate", "throttled (429)", a.throttled, b.throttled);
    out.push_back({"tokens_per_minute", "tokens a minute", Unit::number, a.tokens_per_minute(),
                   b.tokens_per_minute(), std::nullopt});
    times("ttft", "first token", a.ttft, b.ttft);
    times("latency", "whole answer", a.latency, b.latency);
    times("gap", "between tokens", a.gap, b.gap);
    return out;
}

std::string show(Figure::Unit unit, double value) {
    switch (unit) {
        case Figure::Unit::seconds:
            return show_seconds(value);
        case Figure::Unit::share:
            return show_share(value);
        case Figure::Unit::number:
            break;
    }
    return show_number(value);
}

Table figures(const Record& a, const Record& b, const Names& names) {
    Table out{{"", names.before, names.after, "difference", "95 % interval"}};
    for (const auto& f : figures_of(a, b))
        out.push_back({f.title, show(f.unit, f.before), show(f.unit, f.after),
                       f.unit == Figure::Unit::share && f.before != f.after
                           ? fmt::format("{:+.3g} points", (f.after - f.before) * 100)
                           : difference(f.before, f.after),
                       certainty(f.interval)});
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

std::string json_comparison(const Record& a, const Record& b) {
    const Names names = names_of(a, b);
    JsonWriter w;
    w.open().field("before", names.before).field("after", names.after).key("figures").open_list();
    for (const auto& f : figures_of(a, b)) {
        const double relative = f.before == f.after ? 0
                                : f.before == 0     ? std::nan("")
                                                    : f.after / f.before - 1;
        w.open().field("name", f.name).field("before", f.before).field("after", f.after);
        w.field("difference", relative).key("interval");
        if (f.interval)
            w.open_list().value(f.interval->low).value(f.interval->high).close_list();
        else
            w.null();
        w.field("noise", f.interval ? std::optional(f.interval->has_zero()) : std::nullopt).close();
    }
    return w.close_list().close().take();
}

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
