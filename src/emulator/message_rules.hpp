#pragma once
/// What Azure refuses in the messages of a chat, and in the items that the Responses API is given: roles,
/// contents and their parts, and results of tools that nobody called.
///
/// Thread rule: free functions.
#include <simdjson.h>

#include <string>

#include "emulator/body_fault.hpp"

namespace spillway::emulator {

/// Roles, contents, and whether each call of a tool has its result.
[[nodiscard]] BodyFault message_fault(const simdjson::dom::array& messages);

/// `continues`: calls may stand in what was said before, which is not in the body.
[[nodiscard]] BodyFault input_fault(const simdjson::dom::array& items, bool continues);

/// Where the first picture is, "messages.[0].content.[1].type"; empty: nowhere.
[[nodiscard]] std::string first_picture(const simdjson::dom::array& messages);

}  // namespace spillway::emulator
