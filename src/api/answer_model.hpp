#pragma once
/// Which model an answer says it comes from: "gpt-4o-2024-11-20" where a deployment of another name was
/// asked.
///
/// Source: `model` of the objects in OpenAI's API reference; Azure's answers have it too, behind their
/// choices, and leave it empty in a stream's first chunk. Thread rule: any. Errors: none; empty if the text
/// does not say.
#include <string_view>

namespace spillway::api {

/// `text` is a JSON answer, or some of a stream's events. The first `model` that is not empty and names no
/// more than 64 plain bytes; a view into `text`.
[[nodiscard]] std::string_view find_model(std::string_view text) noexcept;

}  // namespace spillway::api
