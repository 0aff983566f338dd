#pragma once
/// The arguments of each operation with their types and values, as the published description of the API has
/// them (and those that only Azure has).
///
/// Thread rule: free functions.
#include <simdjson.h>

#include <string_view>

#include "emulator/body_fault.hpp"
#include "emulator/operation.hpp"

namespace spillway::emulator {

/// Whether the argument is one of the API (learn.microsoft.com/azure/ai-foundry/openai/reference, and /v1).
[[nodiscard]] bool is_known(Operation operation, std::string_view argument) noexcept;

/// Where the Responses API has an argument of chats: "text.format" for "response_format"; else empty.
[[nodiscard]] std::string_view moved_to(std::string_view argument) noexcept;

/// The first argument of another type, or with another value, than the operation takes. Unknown ones and
/// null are left alone.
[[nodiscard]] BodyFault type_fault(Operation operation, const simdjson::dom::object& body);

}  // namespace spillway::emulator
