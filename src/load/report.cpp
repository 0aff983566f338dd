#include "load/report.hpp"

#include <fmt/format.h>

#include <array>

#include "base/html.hpp"
#include "base/utf8.hpp"
#include "load/page.hpp"

namespace spillway::load {
namespace {

using Table = std::vector<std::vector<std::string>>;

std::string tile(std::string_view value, std::string_view label) {
    return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>", escape_html(value),
                       escape_html(label));
}

std::string quantile_text(const Histogram& h, double q) {
    return h.empty() ? "–" : show_seconds(to_seconds(h.quantile(q)));
}

Table percentile_table(const Record& r) {
    Table out{{"", "count", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"}};
    const std::array<std::pair<std::string_view, const Histogram*>, 4> all{
        {{"time to first token", &r.ttft},
         {"whole answer", &r.latency},
         {"between tokens", &r.gap},
         {"sent late by this program", &r.lag}}};
    for (const auto& [name, h] : all) {
        if (h->empty()) continue;
        std::vector<std::string> row{std::string(name), fmt::format("{}", h->count()),
                                     show_seconds(to_seconds(h->mean()))};
        for (const double q : {0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) row.push_back(quantile_text(*h, q));
        out.push_back(std::move(row));
    }
    return out;
}

Table count_table(std::string_view what, const Counts<std::uint64_t>& counts) {
    Table out{{std::string(what), "requests", "share"}};
    std::uint64_t all = 0;
    for (const auto& [name, count] : counts) all += count;
    for (const auto& [name, count] : counts)
        out.push_back({name, fmt::format("{}", count),
                       show_share(static_cast<double>(count) / static_cast<double>(all))});
    return out;
}

Table threshold_table(const Record& r) {
    Table out{{"criterion", "measured", ""}};
    for (const ThresholdOutcome& t : r.thresholds)
        out.push_back({t.text, t.value, t.passed ? "met" : "missed"});
    return out;
}

Table settings_table(const Record& r) {
    Table out{{"setting", "value"}};
    for (const auto& [name, value] : r.settings) out.push_back({name, value});
    return out;
}

std::string tiles(const Record& r) {
    return "<div class=\"tiles\">" +
           tile(fmt::format("{:.4g}/s", r.ok_rate()),
                fmt::format("answered, of {:.4g}/s asked", r.offered_rate())) +
           tile(show_share(r.error_rate()),
                r.throttled + r.failed == 0
                    ? std::string("failed")
                    : fmt::format("failed, {} of them 429", show_share(r.throttled_of_errors()))) +
           tile(show_number(r.tokens_per_minute()), "tokens a minute") +
           tile(quantile_text(r.ttft, 0.5), "first token, median") +
           tile(quantile_text(r.ttft, 0.99), "first token, p99") +
           tile(quantile_text(r.latency, 0.5), "whole answer, median") +
           tile(quantile_text(r.latency, 0.99), "whole answer, p99") + "</div>\n";
}

std::string rate_figure(const Record& r) {
    Plot p = time_plot(r, "Requests over time", "Ended per second, by how they ended");
    p.stacked = true;
    p.unit = "/s";
    p.series = {{"ok", "good", rate_column(r, [](const Row& row) { return row.ok; }), false},
                {"429", "warn", rate_column(r, [](const Row& row) { return row.throttled; }), false},
                {"failed", "bad", rate_column(r, [](const Row& row) { return row.failed; }), false}};
    return figure(p);
}

std::string load_figure(const Record& r) {
    Plot p = time_plot(r, "Load", "Requests in flight, and those due per second");
    p.series = {{"in flight", "c1",
                 column(r, [](const Row& row) { return static_cast<double>(row.in_flight); }), false},
                {"due per second", "c2", rate_column(r, [](const Row& row) { return row.due; }), true}};
    return figure(p);
}

std::string token_figure(const Record& r) {
    Plot p = time_plot(r, "Tokens a minute", "Prompt and completion, counted when an answer ends");
    p.stacked = true;
    auto y = rate_column(r, [](const Row& row) { return row.tokens; });
    for (double& v : y) v *= 60;
    p.series = {{"tokens a minute", "c3", std::move(y), false}};
    return figure(p);
}

std::string ttft_figure(const Record& r) {
    Plot p = time_plot(r, "Time to first token", "Of streams, from when the request was due");
    p.y_kind = Plot::Y::seconds;
    p.series = {{"p50", "c1", column(r, [](const Row& row) { return measured(row.ttft_p50); }), false},
                {"p95", "c2", column(r, [](const Row& row) { return measured(row.ttft_p95); }), false},
                {"p99", "c5", column(r, [](const Row& row) { return measured(row.ttft_p99); }), false}};
    return figure(p);
}

std::string latency_figure(const Record& r) {
    Plot p = time_plot(r, "Whole answer", "From when the request was due to its last byte");
    p.y_kind = Plot::Y::seconds;
    p.series = {{"p50", "c1", column(r, [](const Row& row) { return measured(row.latency_p50); }), false},
                {"p95", "c2", column(r, [](const Row& row) { return measured(row.latency_p95); }), false},
                {"p99", "c5", column(r, [](const Row& row) { return measured(row.latency_p99); }), false}};
    return figure(p);
}

constexpr std::string_view method =
    "<p style=\"margin-top:28px\">Times are counted from when a request was due, so that an endpoint that "
    "holds up later requests does not look better than it is. Percentiles are known to three digits. What is "
    "due during the warm-up is in the plots, not in the figures.</p>\n";

std::string plural(std::uint64_t n, std::string_view what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

/// No criteria were given, nothing to pass: no badge.
std::string_view badge(Verdict verdict) {
    switch (verdict) {
        case Verdict::passed:
            return "<span class=\"badge pass\">passed</span>";
        case Verdict::failed:
            return "<span class=\"badge fail\">failed</span>";
        case Verdict::none:
            break;
    }
    return "";
}

}  // namespace

std::string html_report(const Record& r) {
    std::string body =
        fmt::format("<h1>{}{}</h1><p>{}, {} in {:.4g} s</p>\n", escape_html(r.name), badge(r.verdict()),
                    escape_html(r.started), plural(r.due, "request"), r.seconds);
    body += tiles(r);
    body += html_table("Criteria", threshold_table(r));
    body += "<h2>Over time</h2><div class=\"plots\">\n";
    body += rate_figure(r);
    const auto names = backend_names({&r});
    if (!names.empty()) body += figure(backend_plot(r, names, "Backends"));
    body += ttft_figure(r);
    body += latency_figure(r);
    body += token_figure(r);
    body += load_figure(r);
    constexpr std::string_view note = "A point says: so many percent took no longer than this";
    body += figure(quantile_plot("Distribution of whole answers", std::string(note),
                                 {{"whole answer", "c2", &r.latency, false}}));
    body += figure(quantile_plot(
        "Distribution of tokens", std::string(note),
        {{"time to first token", "c1", &r.ttft, false}, {"between tokens", "c3", &r.gap, false}}));
    body += "</div>\n";
    body += html_table("Percentiles", percentile_table(r));
    body += "<div class=\"tables\">\n";
    body += html_table("Status codes", count_table("status", r.statuses));
    if (!r.problems.empty()) body += html_table("Failures", count_table("what", r.problems));
    if (!r.backends.empty()) body += html_table("Backends", count_table("backend", r.backends));
    if (!r.attempts.empty()) body += html_table("Attempts", count_table("attempts", r.attempts));
    body += html_table("Tokens", {{"", "tokens"},
                                  {"prompt", fmt::format("{}", r.prompt_tokens)},
                                  {"of them cached", fmt::format("{}", r.cached_tokens)},
                                  {"completion", fmt::format("{}", r.completion_tokens)}});
    body += html_table("What was run", settings_table(r));
    body += "</div>\n";
    body += method;
    return html_page(r.name, body);
}

std::string text_report(const Record& r) {
    std::string out = fmt::format("\n{}\n", r.name);
    auto to = std::back_inserter(out);
    fmt::format_to(to, "  requests     {} due in {:.4g} s ({:.4g}/s): {} ok, {} throttled (429), {} failed\n",
                   r.due, r.seconds, r.offered_rate(), r.ok, r.throttled, r.failed);
    fmt::format_to(to, "  rate         {:.4g} ok/s, error rate {}\n", r.ok_rate(),
                   show_share(r.error_rate()));
    fmt::format_to(to, "  tokens       {} a minute ({} prompt, {} completion)\n",
                   show_number(r.tokens_per_minute()), r.prompt_tokens, r.completion_tokens);
    // 80 columns: the 90th percentile is in the other reports.
    Table percentiles = percentile_table(r);
    for (auto& row : percentiles) {
        row.erase(row.begin() + 4);
        fmt::format_to(to, " {:<25}", row.front());
        for (std::size_t i = 1; i < row.size(); ++i) fmt::format_to(to, "{:>{}}", row[i], i == 1 ? 6 : 8);
        out += '\n';
    }
    const auto counts = [&](std::string_view title, const Counts<std::uint64_t>& all) {
        if (all.empty()) return;
        constexpr std::size_t columns = 80;
        std::string line = fmt::format("  {:<12}", title);
        const std::size_t margin = line.size();
        bool first = true;
        for (const auto& [name, count] : all) {
            const std::string one = fmt::format(" {}: {}", name, count);
            if (!first) line += ',';
            if (!first && count_characters(line) + count_characters(one) >= columns) {
                out += line + '\n';
                line.assign(margin, ' ');
            }
            line += one;
            first = false;
        }
        out += line + '\n';
    };
    counts("statuses", r.statuses);
    counts("failures", r.problems);
    counts("backends", r.backends);
    counts("attempts", r.attempts);
    for (const ThresholdOutcome& t : r.thresholds)
        fmt::format_to(to, "  {}  {} (measured: {})\n", t.passed ? "met   " : "MISSED", t.text, t.value);
    return out;
}

}  // namespace spillway::load
