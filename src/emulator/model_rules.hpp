#pragma once
/// What a model does not take although its operation does: arguments, pictures, and more tokens than it has.
///
/// Thread rule: a free function and plain values.
#include <optional>
#include <string_view>

#include "emulator/azure_error.hpp"

namespace spillway::emulator {

/// `model` is the deployment's, whatever the deployment is called.
[[nodiscard]] std::optional<ErrorAnswer> model_fault(const ModelRequest& request, std::string_view model);

}  // namespace spillway::emulator
