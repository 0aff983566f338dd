#pragma once
/// Plots as inline SVG for the report: drawn here, without a script, coloured by the page's style sheet, with
/// a native tooltip over each step. Ownership: values. Thread rule: free functions.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::load {

struct Series {
    std::string name;
    std::string colour;     ///< a class of the style sheet: c1 … c8, good, warn, bad
    std::vector<double> y;  ///< by Plot::x; NaN: no value
    bool dashed = false;
};

struct Plot {
    enum class X : std::uint8_t {
        seconds,     ///< time in the run
        percentile,  ///< x is log10(1 / (1 - q)), so that each 9 more takes as much room
    };
    enum class Y : std::uint8_t { number, seconds };
    std::string title;
    std::string note;  ///< a line under the title
    std::string unit;  ///< of numbers, as "/s"
    X x_kind = X::seconds;
    Y y_kind = Y::number;
    bool stacked = false;  ///< stacked columns, each `x_step` wide; else lines
    double x_step = 1;
    std::vector<double> x;
    std::vector<Series> series;
};

/// A <figure>: caption, legend (for two series and more) and plot.
[[nodiscard]] std::string figure(const Plot& plot);

/// 0.0123 → "12.3 ms", 2.5 → "2.5 s"; "–" for NaN and below 0.
[[nodiscard]] std::string show_seconds(double seconds);
/// 1234567 → "1.23 M"; NaN → "–".
[[nodiscard]] std::string show_number(double number);
/// A step of 1, 2 or 5 times a power of ten, so that `span` has at most `most` of them.
[[nodiscard]] double nice_step(double span, int most) noexcept;

}  // namespace spillway::load
