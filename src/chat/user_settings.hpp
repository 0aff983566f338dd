#pragma once
/// What a user may set: kept as JSON with the session.
/// Ownership: plain values. Errors are fit for a 400.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::chat {

struct UserSettings {
    std::string system_prompt;          ///< empty: default_system_prompt
    std::optional<double> temperature;  ///< 0…2; none: the model's own
    std::int64_t max_tokens = 0;        ///< of an answer; 0: the model's own
    std::int64_t sources = 4;           ///< pieces of documents shown to the model, 1…12
    bool follow_ups = false;            ///< another request for each answer
    bool show_backend = true;           ///< the page only: who answered, under each message
};

inline constexpr std::string_view default_system_prompt =
    "You are a helpful assistant. Answer in the language of the question, clearly and to the point. Use "
    "Markdown where it helps.";

/// An object with any of the fields of to_json(); what is absent keeps its value in `base`.
[[nodiscard]] Result<UserSettings> read_user_settings(std::string_view json, const UserSettings& base = {});
[[nodiscard]] std::string to_json(const UserSettings& settings);

}  // namespace spillway::chat
