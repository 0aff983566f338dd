#pragma once
/// Extracts the evidence from an attempt's end for routing::blame().
/// Ownership: Evidence views its sources. Thread rule: free functions. Errors: none.
#include <optional>
#include <string_view>

#include "api/error.hpp"
#include "api/stream_event.hpp"
#include "gateway/asked.hpp"
#include "routing/blame.hpp"

namespace spillway::gateway {

[[nodiscard]] routing::OperationFacts facts_of(const Asked& asked) noexcept;

/// What begins like an error object; an answer that serves is not parsed to find out.
[[nodiscard]] bool begins_as_error(std::string_view body) noexcept;
/// For a complete answer. `error` owns what the evidence views.
[[nodiscard]] routing::Evidence evidence_of_answer(unsigned status, std::string_view content_type,
                                                   std::string_view body,
                                                   std::optional<api::ApiError>& error);
/// For an error event inside a 200 stream.
[[nodiscard]] routing::Evidence evidence_of_event(const api::EventInfo& event, bool output_sent) noexcept;

/// Whether a refusal means that `stream_options` is not supported there.
[[nodiscard]] bool refuses_stream_options(unsigned status, std::string_view body) noexcept;

}  // namespace spillway::gateway
