#pragma once
/// Reads the parts of LiteLLM's config.yaml.
///
/// Thread rule: functions of their arguments. Errors: notes.
#include <map>
#include <string>
#include <vector>

#include "migrate/read.hpp"

namespace spillway::migrate::litellm {

/// From `credential_list`: settings that models may refer to by name.
using Credentials = std::map<std::string, Item>;

struct Settings {
    bool entra = false;  ///< enable_azure_ad_token_refresh: Azure's models without a key use an identity
    /// The fallbacks of a model's group, in order of use.
    std::vector<std::pair<std::string, std::vector<std::string>>> fallbacks;
    std::vector<std::string> default_fallbacks;
    std::map<std::string, std::string> aliases;  ///< from the requested name to the group
};

void read_settings(Input& in, Section& root, Settings& out);
void read_models(Input& in, Section& root, const Settings& settings, const Credentials& credentials);
/// Fallbacks become backends of a lower priority; aliases become more names for the same ones.
void apply_groups(Input& in, const Settings& settings);

}  // namespace spillway::migrate::litellm
