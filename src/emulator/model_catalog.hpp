#pragma once
/// What is known about models by name: the dated name in answers, and their abilities.
/// Thread rule: a free function and plain values.
#include <cstddef>
#include <string>
#include <string_view>

#include "emulator/request.hpp"

namespace spillway::emulator {

struct ModelFacts {
    std::string name;            ///< "gpt-4o-2024-08-06"
    std::size_t dimensions = 0;  ///< embeddings; 0: a text model

    [[nodiscard]] bool can(Operation operation) const noexcept {
        return (operation == Operation::embeddings) == (dimensions > 0);
    }
};

/// What a model takes; 0: not known, and not limited.
struct ModelLimits {
    std::size_t window = 0;  ///< tokens of prompt and answer
    std::size_t output = 0;  ///< tokens of an answer
    bool sees = true;        ///< takes pictures
};

/// By the published lists of models (learn.microsoft.com/azure/ai-foundry/openai/concepts/models).
[[nodiscard]] ModelLimits model_limits(std::string_view model) noexcept;

/// Models that think before they answer: no sampling, and max_completion_tokens for max_tokens.
[[nodiscard]] bool is_reasoning(std::string_view model) noexcept;

/// Whether the model completes texts; chat models do not.
[[nodiscard]] bool completes(std::string_view model) noexcept;

/// Whether the model chats, and responds; those that only complete do not.
[[nodiscard]] bool chats(std::string_view model) noexcept;

/// An unknown name is a text model, or an embedding model of 1,536 dimensions if it contains "embedding".
[[nodiscard]] ModelFacts model_facts(std::string_view model);

}  // namespace spillway::emulator
