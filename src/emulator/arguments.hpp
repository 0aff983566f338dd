#pragma once
/// What an Azure OpenAI resource refuses in a request that could be answered: arguments it does not know, and
/// values that its model does not take. The words are those that clients have reported.
///
/// Thread rule: free functions and plain values.
#include <optional>
#include <string_view>

#include "emulator/azure_error.hpp"

namespace spillway::emulator {

/// Whether the argument is one of the API (learn.microsoft.com/azure/ai-foundry/openai/reference, and /v1).
[[nodiscard]] bool is_known(Operation operation, std::string_view argument) noexcept;

/// `model` is the deployment's, whatever the deployment is called.
[[nodiscard]] std::optional<ErrorAnswer> argument_fault(const ModelRequest& request, std::string_view model);

/// Models that think before they answer: no sampling, and max_completion_tokens for max_tokens.
[[nodiscard]] bool is_reasoning(std::string_view model) noexcept;

/// Whether the model completes texts; chat models do not.
[[nodiscard]] bool completes(std::string_view model) noexcept;

/// Whether Azure has released the version
/// (learn.microsoft.com/azure/ai-services/openai/api-version-deprecation).
[[nodiscard]] bool is_released(std::string_view api_version) noexcept;

}  // namespace spillway::emulator
