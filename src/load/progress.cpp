#include "load/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bar.hpp"
#include "base/utf8.hpp"
#include "load/plot.hpp"

namespace spillway::load {
namespace {

std::string quantile(const Histogram& h, double q) {
    return h.empty() ? "–" : show_seconds(to_seconds(h.quantile(q)));
}

/// Each line cut to what fits, and so the block: what has wrapped or scrolled away cannot be drawn over. The
/// cursor stands on a row of its own below.
std::string clipped(std::string_view text, std::size_t columns, std::size_t rows) {
    std::string out;
    auto left = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    const std::size_t fitting = left < rows ? left : std::max<std::size_t>(rows, 2) - 2;
    for (std::size_t shown = 0; !text.empty(); ++shown, --left) {
        if (shown == fitting) {
            const auto more = fmt::format(" … {} more lines", left);
            out += first_characters(more, columns);
            return out + '\n';
        }
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        out += first_characters(line, columns);
        out += '\n';
    }
    return out;
}

}  // namespace

void Progress::add(const Pulse& pulse, Duration elapsed, Duration interval) {
    last_ = pulse;
    elapsed_ = std::max(elapsed, Duration{});
    interval_ = std::max<Duration>(interval, std::chrono::milliseconds(1));
    ok_ += pulse.step.ok;
    throttled_ += pulse.step.throttled;
    failed_ += pulse.step.failed;
    for (const auto& [name, count] : pulse.step.backends) add_count(backends_, name, count);
}

double Progress::rate(std::uint64_t n) const noexcept {
    return static_cast<double>(n) / to_seconds(interval_);
}

std::size_t Progress::rows_of(std::string_view block) const noexcept {
    std::size_t rows = 0;
    while (!block.empty()) {
        const std::string_view line = block.substr(0, block.find('\n'));
        block.remove_prefix(std::min(block.size(), line.size() + 1));
        const std::size_t wide = count_characters(line);
        rows += std::max<std::size_t>(1, (wide + columns_ - 1) / std::max<std::size_t>(columns_, 1));
    }
    return rows;
}

std::string Progress::block() const {
    return clipped(whole_block(), columns_, rows_);
}

std::string Progress::whole_block() const {
    const double share = total_ > Duration{} ? to_seconds(elapsed_) / to_seconds(total_) : 1;
    const std::size_t wide = std::clamp<std::size_t>(columns_, 60, 120) - 1;
    std::string out;
    auto to = std::back_inserter(out);
    fmt::format_to(to, " {} {:.0f} of {:.0f} s{}\n", bar(share, wide - 30), to_seconds(elapsed_),
                   to_seconds(total_), share > 1 ? ", waiting for what is open" : "");
    fmt::format_to(to, " now    {:.1f} due/s, {:.1f} ok/s, {:.1f} 429/s, {:.1f} failed/s, {} tokens/min\n",
                   rate(last_.step.due), rate(last_.step.ok), rate(last_.step.throttled),
                   rate(last_.step.failed), show_number(rate(last_.step.tokens) * 60));
    fmt::format_to(to, " open   {:>7} requests", last_.open);
    if (users_) fmt::format_to(to, "   {} users", last_.users);
    fmt::format_to(to, "\n token  first p50 {}, p99 {}; then every {}\n", quantile(last_.step.ttft, 0.5),
                   quantile(last_.step.ttft, 0.99), quantile(last_.gap, 0.5));
    fmt::format_to(to, " answer p50 {}, p99 {}\n", quantile(last_.step.latency, 0.5),
                   quantile(last_.step.latency, 0.99));
    fmt::format_to(to, " total  {} ok, {} throttled (429), {} failed\n", ok_, throttled_, failed_);
    std::uint64_t all = 0;
    for (const auto& [name, count] : last_.step.backends) all += count;
    for (const auto& [name, count] : backends_) {
        const auto found = last_.step.backends.find(name);
        const std::uint64_t now = found == last_.step.backends.end() ? 0 : found->second;
        const double part = all == 0 ? 0 : static_cast<double>(now) / static_cast<double>(all);
        fmt::format_to(to, " {:<20.20} {} {:>7.1f}/s  {} in all\n", name, bar(part, wide - 50), rate(now),
                       count);
    }
    return out;
}

std::string Progress::line() const {
    std::string out = fmt::format(
        "{:.0f}/{:.0f} s: {:.1f} ok/s, {:.1f} 429/s, {:.1f} failed/s, {} open, first token p50 {} p99 {}",
        to_seconds(elapsed_), to_seconds(total_), rate(last_.step.ok), rate(last_.step.throttled),
        rate(last_.step.failed), last_.open, quantile(last_.step.ttft, 0.5), quantile(last_.step.ttft, 0.99));
    for (const auto& [name, count] : last_.step.backends)
        fmt::format_to(std::back_inserter(out), ", {} {:.1f}/s", name, rate(count));
    return out + "\n";
}

}  // namespace spillway::load
