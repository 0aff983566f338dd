#pragma once
/// The parts of LiteLLM's config.yaml, apart.
///
/// Thread rule: functions of their arguments. Errors: notes.
#include <map>
#include <string>
#include <vector>

#include "migrate/read.hpp"

namespace spillway::migrate::litellm {

/// Of `credential_list`: what models may name instead of saying it themselves.
using Credentials = std::map<std::string, Item>;

struct Settings {
    bool entra = false;  ///< enable_azure_ad_token_refresh: Azure's models without a key use an identity
    /// What stands in for a model's group: in the order of use.
    std::vector<std::pair<std::string, std::vector<std::string>>> fallbacks;
    std::vector<std::string> default_fallbacks;
    std::map<std::string, std::string> aliases;  ///< what clients ask for -> the group
};

void read_settings(Input& in, Section& root, Settings& out);
void read_models(Input& in, Section& root, const Settings& settings, const Credentials& credentials);
/// Fallbacks become backends of a later priority; aliases more names of the same ones.
void apply_groups(Input& in, const Settings& settings);

}  // namespace spillway::migrate::litellm
