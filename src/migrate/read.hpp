#pragma once
/// What the readers of the kinds have in common, and the readers themselves.
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

/// `value` refers to a variable by `prefix` (`os.environ/`, `env.`), or is the key itself.
[[nodiscard]] KeyRef key_of(std::string_view value, std::string_view prefix, int line, std::string path);

/// A URL that is only named: the variable's value if it is set here, else one that leads nowhere, which is
/// noted.
[[nodiscard]] std::string url_of(Input& in, std::string_view variable, int line, const std::string& path);
/// One that leads nowhere, for what is called `name`: `https://NAME.invalid`.
[[nodiscard]] std::string nowhere(std::string_view name);

/// A URL cut where a resource begins, and the deployment that was in its path; `openai.azure.com/openai/...`.
struct SplitUrl {
    std::string url;
    std::string deployment;
};
[[nodiscard]] SplitUrl split_url(std::string_view url);

}  // namespace spillway::migrate
