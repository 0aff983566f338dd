#pragma once
/// The model that an answer names: "gpt-4o-2024-11-20", although a deployment of another name was
/// requested.
///
/// Source: `model` of the objects in OpenAI's API reference; Azure's answers also have it, after the choices,
/// and leave it empty in a stream's first chunk. Thread rule: any. Errors: none; empty if the text does not
/// name one.
#include <string_view>

namespace spillway::api {

/// `text` is a JSON answer, or part of a stream's events. Returns the first `model` that is not empty, of at
/// most 64 plain bytes, as a view into `text`.
[[nodiscard]] std::string_view find_model(std::string_view text) noexcept;

}  // namespace spillway::api
