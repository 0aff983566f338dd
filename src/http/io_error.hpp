#pragma once
/// Ends of reading and writing that have no errno, as std::error_code. Thread rule: plain values.
#include <system_error>

namespace spillway::http {

enum class IoError {
    eof = 1,      ///< the peer ended its side
    truncated,    ///< TLS: the peer's side ended without close_notify
    cancelled,    ///< by this side
    tls,          ///< see Transport::problem()
    certificate,  ///< a server's: that of the client is missing or not valid; see Transport::problem()
};

[[nodiscard]] std::error_code make_error_code(IoError e) noexcept;

}  // namespace spillway::http

template <>
struct std::is_error_code_enum<spillway::http::IoError> : std::true_type {};
