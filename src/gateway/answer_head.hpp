#pragma once
/// Selects the fields of a backend's answer that the client gets.
/// Thread rule: free functions. Errors: none.
#include <string>

#include "http/message.hpp"

namespace spillway::gateway {

/// Appends the fields that pass. `own_terms`: the client has its own limits, which are shown instead of the
/// backend's. The backend's request id becomes x-spillway-upstream-request-id. Returns whether there are
/// fields with locations, which are left to gateway/location.hpp.
bool append_answer_fields(std::string& out, const http::ResponseHead& head, bool own_terms);

[[nodiscard]] bool is_json(const http::ResponseHead& head) noexcept;
/// Lines of JSON, which some servers stream instead of events (Ollama, docs.ollama.com/api/streaming).
[[nodiscard]] bool is_json_lines(const http::ResponseHead& head) noexcept;
[[nodiscard]] bool is_event_stream(const http::ResponseHead& head) noexcept;
/// Whether a body starts like an event stream, whatever its head says.
[[nodiscard]] bool begins_event_stream(std::string_view body) noexcept;

}  // namespace spillway::gateway
