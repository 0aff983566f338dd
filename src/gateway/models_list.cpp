#include "gateway/models_list.hpp"

#include <set>

#include "base/json.hpp"

namespace spillway::gateway {
namespace {

using Names = std::set<std::string, std::less<>>;

bool is_glob(std::string_view name) noexcept {
    return name.find_first_of("*?") != std::string_view::npos;
}

/// False: what it serves is known to itself alone.
bool add_names(const config::BackendConfig& backend, Names& out) {
    bool known = !backend.models.empty() || !backend.deployments.empty();
    for (const auto& [requested, deployment] : backend.deployments) out.insert(requested);
    for (const std::string& name : backend.models) {
        if (is_glob(name))
            known = false;
        else
            out.insert(name);
    }
    return known;
}

/// What the client may ask for, as far as that is known without asking a backend.
Names names_for(const Snapshot& snapshot, const Client& client, bool& all) {
    Names names;
    all = true;
    const auto& allowed = snapshot.clients.deployments_of(client);
    for (const std::string& name : allowed)
        if (snapshot.router->serves(name)) names.insert(name);
    if (!allowed.empty()) return names;
    for (const config::BackendConfig& backend : snapshot.config.backends)
        if (!add_names(backend, names)) all = false;
    return names;
}

std::string entry(std::string_view name) {
    std::string out = R"({"id":)";
    append_json_string(out, name);
    return out += R"(,"object":"model","created":0,"owned_by":"spillway"})";
}

}  // namespace

bool asks_for_models(const Asked& asked, std::string_view method) noexcept {
    std::string_view tail = asked.route.tail;
    while (tail.ends_with('/')) tail.remove_suffix(1);
    return method == "GET" && iequals(tail, api::kModelsTail);
}

std::optional<std::string> models_list(const Snapshot& snapshot, const Client& client) {
    bool all = false;
    const Names names = names_for(snapshot, client, all);
    if (!all) return std::nullopt;
    std::string out = R"({"object":"list","data":[)";
    for (const std::string& name : names) {
        if (out.back() != '[') out += ',';
        out += entry(name);
    }
    return out += "]}";
}

std::optional<std::string> model_entry(const Snapshot& snapshot, const Client& client, const Asked& asked,
                                       std::string_view method) {
    if (method != "GET" || &asked.operation() != &api::operations::other ||
        !istarts_with(asked.route.tail, "/models/"))
        return std::nullopt;
    bool all = false;
    const Names names = names_for(snapshot, client, all);
    if (!names.contains(asked.deployment)) return std::nullopt;
    return entry(asked.deployment);
}

}  // namespace spillway::gateway
