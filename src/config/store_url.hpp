#pragma once
/// The URL of a PostgreSQL database, as libpq reads it (its documentation, "Connection URIs"):
/// `postgresql://[user[:password]@][host][:port][/database][?parameter=value&…]`.
///
/// It may hold a password, so nothing here quotes it. What libpq would take for a host because a character of
/// the password was not percent-encoded is refused: a failed look-up would say it aloud. Thread rule: free
/// functions of their arguments. Errors: words.
#include <string_view>

namespace spillway::config {

/// What is wrong with its form; empty: nothing.
[[nodiscard]] std::string_view postgres_url_fault(std::string_view url);
/// Whether it asks for the server's certificate to be checked, or stays on this machine.
[[nodiscard]] bool is_verified_or_near(std::string_view url);

}  // namespace spillway::config
