#pragma once
/// A user's settings, kept as JSON with the session.
/// Ownership: plain values. Errors: messages for a 400.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::chat {

struct UserSettings {
    std::string system_prompt;          ///< empty: default_system_prompt
    std::optional<double> temperature;  ///< 0 to 2; nullopt: the model's default
    std::int64_t max_tokens = 0;        ///< of an answer; 0: the model's default
    std::int64_t sources = 4;           ///< pieces of documents shown to the model, 1 to 12
    bool follow_ups = false;            ///< another request for each answer
    bool show_backend = true;           ///< page only: the backend under each message
};

inline constexpr std::string_view default_system_prompt =
    "You are a helpful assistant. Answer in the language of the question, clearly and to the point. Use "
    "Markdown where it helps.";

/// An object with any of the fields of to_json(); others keep their value from `base`.
[[nodiscard]] Result<UserSettings> read_user_settings(std::string_view json, const UserSettings& base = {});
[[nodiscard]] std::string to_json(const UserSettings& settings);

}  // namespace spillway::chat
