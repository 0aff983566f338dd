#pragma once
/// How a request ended, for the access log.
/// Thread rule: plain values.
#include <cstdint>
#include <string_view>

namespace spillway::gateway {

enum class Ending : std::uint8_t {
    ok,
    unauthorized,  ///< no valid key or token
    refused,       ///< the request cannot be served
    limited,       ///< the client's own limits
    out_of_quota,  ///< every backend's quota is exhausted
    no_backend,    ///< every backend failed or none was usable
    client_error,  ///< according to the backend, the request is at fault
    client_left,
    timeout,
    answer_cut,    ///< a plain answer broke off after its first bytes were sent
    stream_cut,    ///< a stream broke off after its first output
    stream_error,  ///< the backend sent an error after the first output
    shutdown,      ///< the gateway stopped before the answer's end
};
[[nodiscard]] std::string_view to_string(Ending ending) noexcept;

}  // namespace spillway::gateway
