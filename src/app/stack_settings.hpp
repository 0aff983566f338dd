#pragma once
/// The local stack's settings for `spillway env set`: names, defaults, valid values, and the values derived
/// from them.
///
/// Ownership: values. Thread rule: free functions, safe everywhere. Errors: messages for the user that name
/// the setting and never contain a key.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/stack_values.hpp"
#include "base/result.hpp"
#include "config/secret.hpp"

namespace spillway::app::stack {

/// The file in the stack's folder.
inline constexpr std::string_view settings_file = ".env";
/// What a stack's services keep in its folder.
inline constexpr std::string_view ledger_name = "usage.db";
inline constexpr std::string_view store_name = "store.db";
inline constexpr std::string_view chat_name = "chat.db";

namespace setting {
inline constexpr std::string_view api_key = "SPILLWAY_API_KEY";
inline constexpr std::string_view capacity = "OPENAI_CAPACITY";
inline constexpr std::string_view port = "SPILLWAY_PORT";
inline constexpr std::string_view admin_port = "SPILLWAY_ADMIN_PORT";
inline constexpr std::string_view chat_port = "SPILLWAY_CHAT_PORT";
inline constexpr std::string_view emulator_admin_port = "SPILLWAY_EMULATOR_ADMIN_PORT";
inline constexpr std::string_view emulator_base_port = "SPILLWAY_EMULATOR_BASE_PORT";
/// Derived from the ports; read-only.
inline constexpr std::string_view gateway_url = "APIM_GATEWAY_URL";
inline constexpr std::string_view chat_url = "SPILLWAY_CHAT_URL";
}  // namespace setting

/// The emulated resources' ports are emulator_base_port and the next ones.
inline constexpr std::uint16_t resource_count = 3;

struct Settings {
    std::uint32_t capacity = 30;  ///< of each resource, in thousand tokens a minute
    std::uint16_t port = 8080;
    std::uint16_t admin_port = 8081;
    std::uint16_t chat_port = 8082;
    std::uint16_t emulator_admin_port = 9100;
    std::uint16_t emulator_base_port = 9101;
    config::Secret api_key;  ///< the one client's

    [[nodiscard]] std::uint64_t tokens_per_minute() const noexcept { return capacity * std::uint64_t{1000}; }
    /// Azure OpenAI gives 6 requests a minute for each 1,000 tokens a minute (quota how-to).
    [[nodiscard]] std::uint64_t requests_per_minute() const noexcept { return capacity * std::uint64_t{6}; }
    [[nodiscard]] std::string gateway_url() const;
    [[nodiscard]] std::string chat_url() const;
    [[nodiscard]] std::string dashboard_url() const;
};

/// `value` in its normal form, if valid for the setting `name`.
[[nodiscard]] Result<std::string> check_setting(std::string_view name, std::string_view value);

/// Defaults for what `values` lacks. An Error if a value is invalid or two ports are equal.
[[nodiscard]] Result<Settings> settings_from(const Values& values);

/// All settings and derived values by name, in display order.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> listed(const Settings& settings);

/// Whether it is a valid name for a stack and its folder: 1 to 64 letters, digits, '-', '_' and '.', not
/// starting with a sign.
[[nodiscard]] bool is_stack_name(std::string_view name) noexcept;

/// 32 random bytes in hexadecimal, from the system's generator (OpenSSL). Throws std::runtime_error if there
/// are none.
[[nodiscard]] std::string make_key();

}  // namespace spillway::app::stack
