#pragma once
/// Identifiers that cannot be guessed, and digests of those that are kept.
/// Thread rule: free functions, safe from any thread. They throw only if the system has no randomness.
#include <string>
#include <string_view>

namespace spillway::chat {

/// 128 random bits as 32 hexadecimal digits.
[[nodiscard]] std::string new_id();
/// Whether `s` has the form new_id() gives.
[[nodiscard]] bool is_id(std::string_view s) noexcept;
/// SHA-256 in hexadecimal: what is stored of a session's cookie, so that the file alone opens no session.
[[nodiscard]] std::string digest(std::string_view s);
/// What a session is called where its own name must not be known (the model's `user`): always the same, and
/// of no use to find the session.
[[nodiscard]] std::string pseudonym(std::string_view session);

}  // namespace spillway::chat
