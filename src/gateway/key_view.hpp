#pragma once
/// A key that was made at run time, as the admin plane shows it: a row for each member, for its JSON and for
/// the dashboard's types (gateway/admin_schema.hpp).
///
/// Ownership: a view refers to its data. Thread rule: free functions and constants. Errors: none.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "store/key_store.hpp"

namespace spillway::gateway {

enum class KeyState : std::uint8_t { active, expired, revoked };
[[nodiscard]] KeyState state_of(const store::KeyRow& row, Wall now) noexcept;
[[nodiscard]] std::string_view to_string(KeyState state) noexcept;

/// 2027-01-31T12:00:00Z
[[nodiscard]] std::string time_text(Wall at);

struct KeyView {
    const store::KeyRow& row;
    Wall now;
    std::string_view secret{};  ///< the key itself, where it was just made; else empty
};
using KeySecretView = store::KeyMacRow;

[[nodiscard]] std::span<const JsonField<KeyView>> key_fields() noexcept;
[[nodiscard]] std::span<const JsonField<KeySecretView>> key_secret_fields() noexcept;

}  // namespace spillway::gateway
