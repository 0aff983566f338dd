#pragma once
/// GET …/models and …/models/{name} for all backends together, where the configuration says what there is:
/// the names that a client may ask for, in a fixed order, in OpenAI's form (as Open WebUI and LibreChat read
/// it). Thread rule: free functions. Errors: nothing, where only the backends themselves know.
#include <optional>
#include <string>
#include <string_view>

#include "gateway/asked.hpp"
#include "gateway/snapshot.hpp"

namespace spillway::gateway {

[[nodiscard]] bool asks_for_models(const Asked& asked, std::string_view method) noexcept;

/// The answer's body. Nothing unless the client has a list of deployments, or each backend has names.
[[nodiscard]] std::optional<std::string> models_list(const Snapshot& snapshot, const Client& client);

/// One of them, asked for by its name; nothing if it is not among the names that are known.
[[nodiscard]] std::optional<std::string> model_entry(const Snapshot& snapshot, const Client& client,
                                                     const Asked& asked, std::string_view method);

}  // namespace spillway::gateway
