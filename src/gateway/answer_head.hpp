#pragma once
/// What of the head of a backend's answer its client sees.
/// Thread rule: free functions. Errors: none.
#include <string>

#include "http/message.hpp"

namespace spillway::gateway {

/// Appends the field lines that pass. `own_terms`: the client has limits of its own, which are shown in place
/// of the backend's. The backend's request id goes down as x-spillway-upstream-request-id. Fields that say
/// where something is are gateway/location.hpp's.
void append_answer_fields(std::string& out, const http::ResponseHead& head, bool own_terms);

[[nodiscard]] bool is_json(const http::ResponseHead& head) noexcept;
[[nodiscard]] bool is_event_stream(const http::ResponseHead& head) noexcept;
/// Is the begin of a body, whatever its head calls it, that of an event stream?
[[nodiscard]] bool begins_event_stream(std::string_view body) noexcept;

}  // namespace spillway::gateway
