#include "figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

namespace spillway::bench {
namespace {

constexpr double left = 60, right = 600, top = 40, bottom = 340;
constexpr std::array<const char*, 6> colours{"#1666b0", "#d1495b", "#66a182",
                                             "#edae49", "#6c5b7b", "#555555"};

double y_at(double value) {
    const double decades = 5;  // 0.1 … 10,000
    const double height = value < 0.1 ? 0 : (std::log10(value) + 1) / decades;
    return bottom - std::min(height, 1.0) * (bottom - top);
}

}  // namespace

std::string Figure::svg(const std::string& x_title) const {
    double low = 1e9;
    double high = -1e9;
    for (const auto& line : lines_)
        for (const auto& p : line.points) {
            low = std::min(low, p.x);
            high = std::max(high, p.x);
        }
    const auto x_at = [&](double x) {
        return left + (x - low) / std::max(high - low, 1e-9) * (right - left);
    };
    std::string out;
    const auto add = [&]<class... T>(fmt::format_string<T...> text, T&&... values) {
        fmt::format_to(std::back_inserter(out), text, std::forward<T>(values)...);
        out += '\n';
    };
    add(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 400" font-family="sans-serif" font-size="13">)");
    add(R"(<rect width="840" height="400" fill="white"/>)");
    add(R"(<text x="{}" y="22" font-size="15">{}</text>)", left, title_);
    for (const double tick : {0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0}) {
        add(R"(<line x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}" stroke="#dddddd"/>)", left, right, y_at(tick),
            y_at(tick));
        add(R"(<text x="{}" y="{:.1f}" text-anchor="end">{}</text>)", left - 6, y_at(tick) + 4,
            tick < 0.2 ? std::string("≤ 0.1") : fmt::format("{:.0f}", tick));
    }
    if (!lines_.empty())
        for (const auto& p : lines_[0].points)
            add(R"(<text x="{:.1f}" y="{}" text-anchor="middle">{:.0f}</text>)", x_at(p.x), bottom + 20, p.x);
    add(R"(<text x="{}" y="{}" text-anchor="middle">{}</text>)", (left + right) / 2, bottom + 44, x_title);
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        const char* colour = colours[i % colours.size()];
        std::string path;
        for (const auto& p : lines_[i].points)
            fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", path.empty() ? "M" : " L", x_at(p.x),
                           y_at(p.y));
        add(R"(<path d="{}" fill="none" stroke="{}" stroke-width="2"/>)", path, colour);
        const double y = top + 10 + 22 * static_cast<double>(i);
        add(R"(<line x1="{}" x2="{}" y1="{}" y2="{}" stroke="{}" stroke-width="2"/>)", right + 14, right + 34,
            y, y, colour);
        add(R"(<text x="{}" y="{}">{}</text>)", right + 40, y + 4, lines_[i].name);
    }
    out += "</svg>\n";
    return out;
}

}  // namespace spillway::bench
