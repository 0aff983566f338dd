#include "migrate/migrate.hpp"

#include <fmt/format.h>

#include <array>

#include "base/strings.hpp"
#include "config/yaml_reader.hpp"
#include "migrate/read.hpp"

namespace spillway::migrate {
namespace {

struct KindRow {
    Kind kind;
    std::string_view name;
    std::string_view title;
};
constexpr std::array<KindRow, 5> kKinds{{
    {Kind::litellm, "litellm", "LiteLLM's config.yaml"},
    {Kind::apim_policy, "apim-policy", "a policy of Azure API Management"},
    {Kind::apim_pool, "apim-pool", "backends of Azure API Management"},
    {Kind::bifrost, "bifrost", "Bifrost's config.json"},
    {Kind::portkey, "portkey", "a Portkey config"},
}};

bool has(const YAML::Node& map, const char* key) {
    return map.IsMap() && map[key].IsDefined();
}

/// What `root`, YAML or JSON, is by its keys.
std::optional<Kind> kind_of(const YAML::Node& root) {
    if (root.IsSequence())
        return root.size() != 0 && root[0].IsMap() && has(root[0], "properties")
                   ? std::optional(Kind::apim_pool)
                   : std::nullopt;
    if (!root.IsMap()) return std::nullopt;
    if (has(root, "model_list")) return Kind::litellm;
    if (has(root, "resources") || has(root, "properties") || has(root, "value")) return Kind::apim_pool;
    if (has(root, "providers")) return Kind::bifrost;
    if (has(root, "targets") || has(root, "strategy") || has(root, "provider") || has(root, "virtual_key"))
        return Kind::portkey;
    if (has(root, "router_settings") || has(root, "litellm_settings")) return Kind::litellm;
    if (has(root, "governance")) return Kind::bifrost;
    return std::nullopt;
}

Error unknown(const YAML::Node& root) {
    std::string_view hint;
    if (has(root, "backends")) hint = ": it may be a gateway.yaml already";
    return fail(fmt::format("is nothing that can be imported{}; --from says what it is", hint));
}

Result<Item> parse(std::string_view text) {
    const config::Sources none;
    config::yaml::Context context(text, "", none);
    auto node = config::yaml::parse(text, context);
    if (node) return Item{*node, ""};
    const auto problems = context.take_problems();
    if (problems.empty()) return fail("cannot be read");
    const auto& p = problems.front();
    return fail(p.line == 0 ? p.message : fmt::format("line {}: {}", p.line, p.message));
}

Result<Converted> finish(Kind kind, Draft& draft, Notes& notes) {
    settle(draft, notes);
    Converted out{kind, {}, {}};
    if (draft.backends.empty()) notes.add(0, "", "has no backend that the gateway could use");
    if (!draft.backends.empty()) out.yaml = render(draft);
    if (draft.clients.empty())
        notes.add(0, "",
                  "no clients: the gateway serves whoever can connect, so it listens on 127.0.0.1:8080 "
                  "only until there are some");
    out.notes = notes.take();
    return out;
}

}  // namespace

std::string_view to_string(Kind kind) noexcept {
    return kKinds[static_cast<std::size_t>(kind)].name;
}
std::string_view title(Kind kind) noexcept {
    return kKinds[static_cast<std::size_t>(kind)].title;
}
std::optional<Kind> find_kind(std::string_view name) noexcept {
    for (const auto& row : kKinds)
        if (row.name == name) return row.kind;
    return std::nullopt;
}

Result<Converted> convert(std::string_view text, std::optional<Kind> kind, const config::EnvLookup& env) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    if (trim(text).empty()) return fail("is empty");
    Notes notes;
    Draft draft;
    Input in{env, notes, draft};
    if (kind == Kind::apim_policy || (!kind && trim(text).starts_with('<'))) {
        read_apim_policy(in, text);
        return finish(Kind::apim_policy, draft, notes);
    }
    // Bicep is no JSON, and knows values that only Azure's compiler can work out.
    if (trim(text).front() != '{' && trim(text).front() != '[' &&
        text.find("Microsoft.ApiManagement/service/backends@") != std::string_view::npos)
        return fail("is Bicep: make it JSON by `az bicep build --file FILE`, and import that");
    const auto root = parse(plain_json(text));
    if (!root) return root.error();
    const Item& item = *root;
    const auto found = kind ? kind : kind_of(item.node);
    if (!found) return unknown(item.node);
    try {
        switch (*found) {
            case Kind::litellm:
                read_litellm(in, item);
                break;
            case Kind::bifrost:
                read_bifrost(in, item);
                break;
            case Kind::portkey:
                read_portkey(in, item);
                break;
            case Kind::apim_pool:
                read_apim_pool(in, item);
                break;
            case Kind::apim_policy:
                break;
        }
    } catch (const YAML::Exception& e) {  // of a node that is none, as of an anchor within itself
        return fail(fmt::format("cannot be read: {}", e.msg));
    }
    return finish(*found, draft, notes);
}

}  // namespace spillway::migrate
