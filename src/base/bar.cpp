#include "base/bar.hpp"

#include <algorithm>
#include <cmath>

namespace spillway {

std::string bar(double share, std::size_t width) {
    const auto full =
        static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(width)));
    std::string out;
    for (std::size_t i = 0; i < width; ++i) out += i < full ? "█" : "░";
    return out;
}

}  // namespace spillway
