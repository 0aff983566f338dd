#include "load/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "base/html.hpp"

namespace spillway::load {
namespace {

constexpr double width = 720;
constexpr double height = 260;
constexpr double left = 76;
constexpr double right = 14;
constexpr double top = 12;
constexpr double bottom = 34;

/// Where values are on the paper.
struct Scale {
    double x_low = 0;
    double x_high = 1;
    double y_high = 1;
    [[nodiscard]] double x(double v) const {
        return left + (v - x_low) / (x_high - x_low) * (width - left - right);
    }
    [[nodiscard]] double y(double v) const { return top + (1 - v / y_high) * (height - top - bottom); }
};

double nice_seconds(double span, int most) {
    for (const double s : {1., 2., 5., 10., 15., 30., 60., 120., 300., 600., 900., 1800., 3600.})
        if (span / s <= most) return s;
    return nice_step(span, most);
}

std::string show_time(double seconds) {
    const auto whole = static_cast<long>(std::llround(seconds));
    return whole < 120 ? fmt::format("{} s", whole) : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string show_percentile(double x) {
    const double percent = 100 * (1 - std::pow(10, -x));
    const int digits = static_cast<int>(std::ceil(x - 0.01)) - 2;
    return fmt::format("{:.{}f} %", percent, std::clamp(digits, 0, 6));
}

std::string show_x(const Plot& p, double x) {
    return p.x_kind == Plot::X::seconds ? show_time(x) : show_percentile(x);
}

std::string show_y(const Plot& p, double y) {
    if (p.y_kind == Plot::Y::seconds) return show_seconds(y);
    return show_number(y) + p.unit;
}

double highest(const Plot& p) {
    double out = 0;
    for (std::size_t i = 0; i < p.x.size(); ++i) {
        double sum = 0;
        for (const Series& s : p.series) {
            if (i >= s.y.size() || std::isnan(s.y[i])) continue;
            sum = p.stacked ? sum + s.y[i] : std::max(sum, s.y[i]);
        }
        out = std::max(out, sum);
    }
    return out;
}

Scale scale_of(const Plot& p) {
    Scale out;
    if (!p.x.empty()) {
        out.x_low = p.x.front();
        out.x_high = p.x.back() + (p.stacked ? p.x_step : 0);
    }
    if (out.x_high <= out.x_low) out.x_high = out.x_low + 1;
    const double most = highest(p);
    if (most > 0) {
        const double step = nice_step(most, 5);
        out.y_high = std::ceil(most / step - 1e-9) * step;
    }
    return out;
}

void draw_grid(std::string& out, const Plot& p, const Scale& scale) {
    auto to = std::back_inserter(out);
    const double step = nice_step(scale.y_high, 5);
    for (double y = 0; y <= scale.y_high * 1.0001; y += step) {
        fmt::format_to(to, R"(<path class="{}" d="M{} {:.1f}H{}"/>)", y == 0 ? "axis" : "grid", left,
                       scale.y(y), width - right);
        fmt::format_to(to, R"(<text x="{}" y="{:.1f}" text-anchor="end">{}</text>)", left - 8, scale.y(y) + 5,
                       show_y(p, y));
    }
    const double x_step = p.x_kind == Plot::X::seconds ? nice_seconds(scale.x_high - scale.x_low, 8) : 1;
    const double first = std::ceil(scale.x_low / x_step - 1e-9) * x_step;
    for (double x = first; x <= scale.x_high + 1e-9; x += x_step) {
        fmt::format_to(to, R"(<path class="tick" d="M{:.1f} {}v4"/>)", scale.x(x), height - bottom);
        fmt::format_to(to, R"(<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>)", scale.x(x),
                       height - bottom + 21, scale.x(x) > width - 50 ? "end" : "middle", show_x(p, x));
    }
}

void draw_line(std::string& out, const Plot& p, const Series& s, const Scale& scale) {
    auto to = std::back_inserter(out);
    std::string path;
    std::string dots;
    const auto there = [&](std::size_t i) { return i < s.y.size() && i < p.x.size() && !std::isnan(s.y[i]); };
    for (std::size_t i = 0; i < p.x.size(); ++i) {
        if (!there(i)) continue;
        const bool begins = i == 0 || !there(i - 1);
        if (begins && !there(i + 1)) {
            fmt::format_to(std::back_inserter(dots),
                           R"(<circle class="{} dot" cx="{:.1f}" cy="{:.1f}" r="2"/>)", s.colour,
                           scale.x(p.x[i]), scale.y(s.y[i]));
            continue;
        }
        fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", begins ? 'M' : 'L', scale.x(p.x[i]),
                       scale.y(s.y[i]));
    }
    if (!path.empty())
        fmt::format_to(to, R"(<path class="{} line{}" d="{}"/>)", s.colour, s.dashed ? " dashed" : "", path);
    out += dots;
}

void draw_columns(std::string& out, const Plot& p, const Scale& scale) {
    auto to = std::back_inserter(out);
    const double whole = scale.x(scale.x_low + p.x_step) - scale.x(scale.x_low);
    const double gap = whole > 5 ? 1 : 0;
    std::vector<double> base(p.x.size());
    for (const Series& s : p.series) {
        std::string path;
        for (std::size_t i = 0; i < p.x.size() && i < s.y.size(); ++i) {
            if (std::isnan(s.y[i]) || s.y[i] <= 0) continue;
            const double y = scale.y(base[i] + s.y[i]);
            fmt::format_to(std::back_inserter(path), "M{:.1f} {:.1f}h{:.1f}V{:.1f}h{:.1f}z", scale.x(p.x[i]),
                           y, whole - gap, scale.y(base[i]), gap - whole);
            base[i] += s.y[i];
        }
        if (!path.empty()) fmt::format_to(to, R"(<path class="{} column" d="{}"/>)", s.colour, path);
    }
}

/// Invisible columns over the plot, each with the values at its place.
void draw_hover(std::string& out, const Plot& p, const Scale& scale) {
    auto to = std::back_inserter(out);
    for (std::size_t i = 0; i < p.x.size(); ++i) {
        const double next = i + 1 < p.x.size() ? p.x[i + 1] : p.x[i] + (p.stacked ? p.x_step : 0);
        double from = scale.x(p.x[i]);
        double till = scale.x(next);
        if (!p.stacked) {
            const double half = (scale.x(p.x.size() > 1 ? p.x[1] : scale.x_high) - scale.x(p.x[0])) / 2;
            from -= half;
            till = from + 2 * half;
        }
        std::string text = show_x(p, p.x[i]);
        for (const Series& s : p.series)
            if (i < s.y.size() && !std::isnan(s.y[i]))
                fmt::format_to(std::back_inserter(text), "\n{}: {}", s.name, show_y(p, s.y[i]));
        fmt::format_to(to, R"(<rect class="hover" x="{:.1f}" y="{}" width="{:.1f}" height="{}">)", from, top,
                       std::max(0.1, till - from), height - top - bottom);
        fmt::format_to(to, "<title>{}</title></rect>", escape_html(text));
    }
}

}  // namespace

double nice_step(double span, int most) noexcept {
    if (!(span > 0) || most < 1) return 1;
    const double power = std::pow(10, std::floor(std::log10(span / most)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (span / (factor * power) <= most + 1e-9) return factor * power;
    return 10 * power;
}

std::string show_seconds(double s) {
    if (std::isnan(s) || s < 0) return "–";
    if (s == 0) return "0";
    if (s < 0.001) return fmt::format("{:.3g} µs", s * 1e6);
    if (s < 1) return fmt::format("{:.3g} ms", s * 1e3);
    return s < 1000 ? fmt::format("{:.3g} s", s) : fmt::format("{:.0f} s", s);
}

std::string show_number(double n) {
    if (std::isnan(n)) return "–";
    const double size = std::abs(n);
    if (size >= 999.5e6) return fmt::format("{:.3g} G", n / 1e9);
    if (size >= 999.5e3) return fmt::format("{:.3g} M", n / 1e6);
    if (size >= 10e3) return fmt::format("{:.3g} k", n / 1e3);
    if (size >= 100) return fmt::format("{:.0f}", n);
    return fmt::format("{:.3g}", n);
}

std::string figure(const Plot& p) {
    std::string out = fmt::format("<figure><figcaption><b>{}</b>", escape_html(p.title));
    if (!p.note.empty()) out += fmt::format("<span>{}</span>", escape_html(p.note));
    out += "</figcaption>";
    if (p.series.size() > 1) {
        out += "<div class=\"legend\">";
        for (const Series& s : p.series)
            out += fmt::format("<span><i class=\"{}{}\"></i>{}</span>", s.colour, s.dashed ? " dashed" : "",
                               escape_html(s.name));
        out += "</div>";
    }
    if (p.x.empty() || highest(p) <= 0) return out + "<p class=\"none\">Nothing was measured.</p></figure>\n";
    const Scale scale = scale_of(p);
    out += fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", width, height,
                       escape_html(p.title));
    draw_grid(out, p, scale);
    if (p.stacked)
        draw_columns(out, p, scale);
    else
        for (const Series& s : p.series) draw_line(out, p, s, scale);
    draw_hover(out, p, scale);
    return out + "</svg></figure>\n";
}

}  // namespace spillway::load
