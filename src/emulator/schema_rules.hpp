#pragma once
/// What Azure refuses in tools and in the form that an answer shall have.
///
/// Thread rule: free functions.
#include <simdjson.h>

#include "emulator/body_fault.hpp"
#include "emulator/operation.hpp"

namespace spillway::emulator {

/// `tools`, `tool_choice` and `functions`.
[[nodiscard]] BodyFault tools_fault(Operation operation, const simdjson::dom::element& body);

/// `response_format`, or `text.format`.
[[nodiscard]] BodyFault format_fault(Operation operation, const simdjson::dom::element& body);

}  // namespace spillway::emulator
