#pragma once
/// Other gateways' configurations made into one of this gateway.
///
/// Read are: LiteLLM's config.yaml (docs.litellm.ai/docs/proxy/config_settings), the policy of
/// Azure-Samples/openai-apim-lb, backends of Azure API Management as an ARM template, or as Azure answers
/// them (learn.microsoft.com/azure/templates/microsoft.apimanagement/service/backends), Bifrost's config.json
/// (docs.getbifrost.ai/deployment-guides/config-json/schema-reference) and Portkey's gateway configs
/// (portkey.ai/docs/api-reference/inference-api/config-object).
///
/// What comes out is a file that `spillway check` takes once the variables that it names are in the
/// environment; no secret of the input is in it, nor in a note.
/// Thread rule: functions of their arguments; `env` is used on the calling thread only. Errors: an input that
/// is none of these, cannot be read, or has no backend that the gateway could use.
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
/// As people know it: `Azure API Management backends`.
[[nodiscard]] std::string_view title(Kind kind) noexcept;

struct Converted {
    Kind kind = Kind::litellm;
    std::string yaml;
    std::vector<Note> notes;
};

/// The kind is found out if it is not given. `env` may hold URLs that the input only names.
[[nodiscard]] Result<Converted> convert(std::string_view text, std::optional<Kind> kind,
                                        const config::EnvLookup& env);

/// JSON as editors and ARM have it made JSON as YAML reads it: comments become spaces, and escaped surrogates
/// characters. Lines stay where they are. Text that is no JSON is given back.
[[nodiscard]] std::string plain_json(std::string_view text);

}  // namespace spillway::migrate
