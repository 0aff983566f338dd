#pragma once
/// GET …/models and …/models/{name} for all backends together, if the configuration lists the models: the
/// names that a client may use, in a fixed order, in OpenAI's form (as read by Open WebUI and LibreChat).
/// Thread rule: free functions. Errors: nullopt if only the backends themselves know.
#include <optional>
#include <string>
#include <string_view>

#include "gateway/asked.hpp"
#include "gateway/snapshot.hpp"

namespace spillway::gateway {

[[nodiscard]] bool asks_for_models(const Asked& asked, std::string_view method) noexcept;

/// The answer's body. nullopt unless the client has a list of deployments, or each backend has names.
[[nodiscard]] std::optional<std::string> models_list(const Snapshot& snapshot, const Client& client);

/// A single model by its name; nullopt if the name is not known.
[[nodiscard]] std::optional<std::string> model_entry(const Snapshot& snapshot, const Client& client,
                                                     const Asked& asked, std::string_view method);

}  // namespace spillway::gateway
