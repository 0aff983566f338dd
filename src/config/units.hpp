#pragma once
/// Durations and sizes as written in a configuration.
///
/// Thread rule: free functions, safe everywhere. Errors: nullopt for what cannot be parsed or is out of
/// range.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace spillway::config {

/// `500ms`, `10s`, `2m`, `1h`, `90d`, `1.5s`; a plain number is seconds. Not negative, at most 100,000 hours.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text) noexcept;

/// `32KiB`, `4MiB`, `1GiB` (powers of 1024), `32kB`, `4MB`, `1GB` (powers of 1000), `10B`; a plain number is
/// bytes. Whole numbers only.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;

/// The shortest text that parse_duration() reads back as the same value, to the microsecond.
[[nodiscard]] std::string format_duration(Duration d);
/// The same for parse_size(), in powers of 1024.
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace spillway::config
