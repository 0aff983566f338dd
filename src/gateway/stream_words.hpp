#pragma once
/// The gateway's own texts in an event stream (WHATWG HTML §9.2.6).
/// Thread rule: free functions. Errors: none.
#include <string>
#include <string_view>

#include "api/operation.hpp"
#include "gateway/asked.hpp"

namespace spillway::gateway {

/// Sent while there is no output; readers of events ignore it.
inline constexpr std::string_view kHeartbeat = ": waiting\n\n";

/// A refusal in a stream whose head has been sent already.
[[nodiscard]] std::string refusal_event(const Refusal& why, api::StreamEvents events);
/// A text as a single event.
[[nodiscard]] std::string data_event(std::string_view text);

}  // namespace spillway::gateway
