#pragma once
/// What the gateway itself writes into an event stream (WHATWG HTML §9.2.6).
/// Thread rule: free functions. Errors: none.
#include <string>
#include <string_view>

#include "api/operation.hpp"
#include "gateway/asked.hpp"

namespace spillway::gateway {

/// Goes down while there is nothing to show; readers of events pass over it.
inline constexpr std::string_view kHeartbeat = ": waiting\n\n";

/// A refusal of a stream whose head has gone down already.
[[nodiscard]] std::string refusal_event(const Refusal& why, api::StreamEvents events);
/// A text as one event.
[[nodiscard]] std::string data_event(std::string_view text);

}  // namespace spillway::gateway
