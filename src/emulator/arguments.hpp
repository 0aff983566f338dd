#pragma once
/// What an Azure OpenAI resource refuses in a request that could be answered: arguments it does not know, and
/// values that its model does not take. The words are those that clients have reported.
///
/// Thread rule: free functions and plain values.
#include <optional>
#include <string_view>

#include "emulator/azure_error.hpp"

namespace spillway::emulator {

/// `model` is the deployment's, whatever the deployment is called.
[[nodiscard]] std::optional<ErrorAnswer> argument_fault(const ModelRequest& request, std::string_view model);

/// Whether Azure has released the version
/// (learn.microsoft.com/azure/ai-services/openai/api-version-deprecation).
[[nodiscard]] bool is_released(std::string_view api_version) noexcept;

/// Whether the version has the Responses API.
[[nodiscard]] bool has_responses(std::string_view api_version) noexcept;

}  // namespace spillway::emulator
