#pragma once
/// Addresses to listen on, as text.
///
/// Thread rule: free functions, safe everywhere. Errors: parse_listen() says what was expected.
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/gateway.hpp"

namespace spillway::config {

/// `127.0.0.1:8080`, `0.0.0.0:8080`, `[::1]:8080`, `localhost:8080`; port 0 is any free port.
[[nodiscard]] Result<ListenConfig> parse_listen(std::string_view text);

/// In the form that parse_listen() reads back.
[[nodiscard]] std::string to_string(const ListenConfig& listen);

/// Whether only this machine can connect: 127.0.0.0/8, ::1 (also mapped IPv4) and `localhost`.
[[nodiscard]] bool is_loopback(std::string_view host);

}  // namespace spillway::config
