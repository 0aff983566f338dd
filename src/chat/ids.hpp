#pragma once
/// Identifiers that cannot be guessed, and digests for storing them.
/// Thread rule: free functions, safe from any thread. They throw only if the system has no randomness.
#include <string>
#include <string_view>

namespace spillway::chat {

/// 128 random bits as 32 hexadecimal digits.
[[nodiscard]] std::string new_id();
/// Whether `s` has the form of a new_id().
[[nodiscard]] bool is_id(std::string_view s) noexcept;
/// SHA-256 in hexadecimal: stored instead of a session's cookie, so that the file alone opens no session.
[[nodiscard]] std::string digest(std::string_view s);
/// A session's name where its id must not be known (the model's `user`): always the same, and of no use to
/// open the session.
[[nodiscard]] std::string pseudonym(std::string_view session);

}  // namespace spillway::chat
