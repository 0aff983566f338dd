#pragma once
/// The readers for each kind, and what they share.
///
/// Thread rule: functions of their arguments. Errors: notes.
#include <string>
#include <string_view>

#include "config/sources.hpp"
#include "migrate/draft.hpp"

namespace spillway::migrate {

struct Input {
    const config::EnvLookup& env;
    Notes& notes;
    Draft& draft;
};

void read_litellm(Input& in, const Item& root);
void read_bifrost(Input& in, const Item& root);
void read_portkey(Input& in, const Item& root);
void read_apim_pool(Input& in, const Item& root);
void read_apim_policy(Input& in, std::string_view text);

/// `value` names a variable after `prefix` (`os.environ/`, `env.`), or is the key itself.
[[nodiscard]] KeyRef key_of(std::string_view value, std::string_view prefix, int line, std::string path);

/// For a URL given by a variable's name: its value if set here, otherwise a placeholder URL, with a
/// note.
[[nodiscard]] std::string url_of(Input& in, std::string_view variable, int line, const std::string& path);
/// A placeholder URL for `name`: `https://NAME.invalid`.
[[nodiscard]] std::string nowhere(std::string_view name);

/// A resource's URL without its path, and the deployment in that path; `openai.azure.com/openai/...`.
struct SplitUrl {
    std::string url;
    std::string deployment;
};
[[nodiscard]] SplitUrl split_url(std::string_view url);

}  // namespace spillway::migrate
