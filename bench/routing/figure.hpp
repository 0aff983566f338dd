#pragma once
/// A line chart as SVG, the y axis logarithmic from 0.1 (and 0 below it).
#include <string>
#include <vector>

namespace spillway::bench {

class Figure {
public:
    struct Point {
        double x = 0;
        double y = 0;
    };
    explicit Figure(std::string title) : title_(std::move(title)) {}
    void add(std::string name, std::vector<Point> line) {
        lines_.push_back({std::move(name), std::move(line)});
    }
    [[nodiscard]] std::string svg(const std::string& x_title) const;

private:
    struct Line {
        std::string name;
        std::vector<Point> points;
    };
    std::string title_;
    std::vector<Line> lines_;
};

}  // namespace spillway::bench
