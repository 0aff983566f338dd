#pragma once
/// The operations of a resource that ask a model. Thread rule: plain values.
#include <string_view>

namespace spillway::emulator {

enum class Operation { chat, completions, embeddings, responses };

/// The name in Azure's rate-limit messages, "ChatCompletions_Create".
[[nodiscard]] std::string_view operation_name(Operation op) noexcept;

}  // namespace spillway::emulator
