#pragma once
/// Converts other gateways' configurations to this gateway's.
///
/// It reads: LiteLLM's config.yaml (docs.litellm.ai/docs/proxy/config_settings), the policy of
/// Azure-Samples/openai-apim-lb, backends of Azure API Management as an ARM template or in Azure's answer
/// (learn.microsoft.com/azure/templates/microsoft.apimanagement/service/backends), Bifrost's config.json
/// (docs.getbifrost.ai/deployment-guides/config-json/schema-reference) and Portkey's gateway configs
/// (portkey.ai/docs/api-reference/inference-api/config-object).
///
/// The result is a file that `spillway check` accepts once the variables it names are in the environment;
/// neither it nor any note contains a secret of the input.
/// Thread rule: functions of their arguments; `env` is used on the calling thread only. Errors: an input that
/// is none of these, cannot be read, or has no usable backend.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/sources.hpp"
#include "migrate/section.hpp"

namespace spillway::migrate {

enum class Kind : std::uint8_t { litellm, apim_policy, apim_pool, bifrost, portkey };

[[nodiscard]] std::string_view to_string(Kind kind) noexcept;  ///< `apim-pool`
[[nodiscard]] std::optional<Kind> find_kind(std::string_view name) noexcept;
/// For people: `Azure API Management backends`.
[[nodiscard]] std::string_view title(Kind kind) noexcept;

struct Converted {
    Kind kind = Kind::litellm;
    std::string yaml;
    std::vector<Note> notes;
};

/// Detects the kind if it is not given. `env` may contain URLs that the input refers to by name.
[[nodiscard]] Result<Converted> convert(std::string_view text, std::optional<Kind> kind,
                                        const config::EnvLookup& env);

/// Converts JSON as accepted by editors and ARM to JSON that YAML can read: comments become spaces, escaped
/// surrogates characters. Line numbers stay the same. Text that is not JSON is returned unchanged.
[[nodiscard]] std::string plain_json(std::string_view text);

}  // namespace spillway::migrate
