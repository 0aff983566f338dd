#pragma once
/// How times and MACs are kept, the same in every kind of store: times as numbers since 1970, 0 for none.
///
/// Thread rule: free functions of their arguments.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "store/key_store.hpp"

namespace spillway::store {

template <class Unit>
[[nodiscard]] std::int64_t count_of(const std::optional<Wall>& at) {
    return at ? std::chrono::floor<Unit>(*at).time_since_epoch().count() : 0;
}
[[nodiscard]] inline std::int64_t milliseconds_of(const std::optional<Wall>& at) {
    return count_of<std::chrono::milliseconds>(at);
}
[[nodiscard]] inline std::int64_t seconds_of(const std::optional<Wall>& at) {
    return count_of<std::chrono::seconds>(at);
}
[[nodiscard]] inline std::optional<Wall> time_of(std::int64_t milliseconds) {
    if (milliseconds == 0) return std::nullopt;
    return Wall(std::chrono::milliseconds(milliseconds));
}

/// What is short is filled with zeros.
[[nodiscard]] inline Mac mac_of(std::string_view bytes) {
    Mac out{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), out.size()), out.begin());
    return out;
}

}  // namespace spillway::store
