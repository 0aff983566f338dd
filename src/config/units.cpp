#include "config/units.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "base/strings.hpp"

namespace spillway::config {
namespace {

struct SizeUnit {
    std::string_view name;
    std::uint64_t factor;
};
constexpr std::array kSizeUnits{SizeUnit{"KiB", 1ULL << 10U},  SizeUnit{"MiB", 1ULL << 20U},
                                SizeUnit{"GiB", 1ULL << 30U},  SizeUnit{"kB", 1'000},
                                SizeUnit{"KB", 1'000},         SizeUnit{"MB", 1'000'000},
                                SizeUnit{"GB", 1'000'000'000}, SizeUnit{"B", 1}};

struct TimeUnit {
    std::string_view name;
    double seconds;
};
// "ms" before "m" and "s": the first that ends the text wins.
constexpr std::array kTimeUnits{TimeUnit{"us", 1e-6}, TimeUnit{"ms", 1e-3}, TimeUnit{"s", 1},
                                TimeUnit{"m", 60},    TimeUnit{"h", 3600},  TimeUnit{"d", 86'400}};
constexpr double kMaxSeconds = 100'000.0 * 3600;

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) noexcept {
    double unit = 1;
    for (const auto& u : kTimeUnits) {
        if (!text.ends_with(u.name)) continue;
        unit = u.seconds;
        text = trim(text.substr(0, text.size() - u.name.size()));
        break;
    }
    const auto number = parse_double(text);
    // from_chars reads "inf" and "nan" too; the comparison refuses both, and -0 is harmless.
    if (!number || !(*number >= 0 && *number * unit <= kMaxSeconds)) return std::nullopt;
    return Duration(std::llround(*number * unit * 1e9));
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept {
    std::uint64_t factor = 1;
    for (const auto& u : kSizeUnits) {
        if (!text.ends_with(u.name)) continue;
        factor = u.factor;
        text = trim(text.substr(0, text.size() - u.name.size()));
        break;
    }
    const auto number = parse_int<std::uint64_t>(text);
    if (!number || *number > std::numeric_limits<std::uint64_t>::max() / factor) return std::nullopt;
    return *number * factor;
}

std::string format_duration(Duration d) {
    using namespace std::chrono;
    const auto us = duration_cast<microseconds>(d).count();
    if (us % 1'000 != 0) return fmt::format("{}us", us);
    if (us % 1'000'000 != 0) return fmt::format("{}ms", us / 1'000);
    const auto s = us / 1'000'000;
    constexpr std::int64_t day = 86'400;
    if (s >= 10 * day && s % day == 0) return fmt::format("{}d", s / day);
    if (s != 0 && s % 3600 == 0) return fmt::format("{}h", s / 3600);
    if (s >= 120 && s % 60 == 0) return fmt::format("{}m", s / 60);
    return fmt::format("{}s", s);
}

std::string format_size(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 4> names{"", "KiB", "MiB", "GiB"};
    std::size_t i = 0;
    while (i + 1 < names.size() && bytes != 0 && bytes % 1024 == 0) bytes /= 1024, ++i;
    return fmt::format("{}{}", bytes, names[i]);
}

}  // namespace spillway::config
