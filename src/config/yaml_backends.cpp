// The backends of a gateway's file.
#include <fmt/format.h>

#include <map>
#include <set>

#include "config/listen.hpp"
#include "config/yaml_sections.hpp"

namespace spillway::config::yaml {
namespace {

void read_timeouts(MapReader& reader, BackendTimeouts& out) {
    const auto item = reader.map("timeouts");
    if (!item) return;
    MapReader timeouts(reader.context(), *item);
    timeouts.duration("connect", out.connect);
    timeouts.duration("first_byte", out.first_byte);
    timeouts.duration("idle", out.idle);
    timeouts.finish();
}

void read_tls(MapReader& reader, const BackendConfig& backend, BackendTls& out) {
    const auto item = reader.map("tls");
    if (!item) return;
    MapReader tls(reader.context(), *item);
    tls.boolean("verify", out.verify);
    tls.path("ca_file", out.ca_file);
    tls.text("server_name", out.server_name);
    check_readable(tls, "ca_file", out.ca_file);
    if (!out.verify && !out.ca_file.empty())
        tls.error("ca_file", "has no effect while verify is false; give one of the two");
    if (!backend.url.host.empty() && !backend.url.tls && tls.valid())
        reader.error("tls", "has no effect on an http:// URL");
    else if (!out.verify)
        tls.warning("verify", "the backend's certificate is not checked: whoever answers gets the key");
    tls.finish();
}

void read_deployments(MapReader& reader, BackendConfig& out) {
    reader.text("deployment", out.deployment);
    const auto item = reader.map("deployments");
    if (!item) return;
    MapReader map(reader.context(), *item);
    for (const auto& [from, to] : map.pairs()) {
        std::string target;
        map.text(from, target);
        if (from.empty()) map.error(from, "has an empty name; expected the deployment that clients ask for");
        if (!target.empty()) out.deployments.insert_or_assign(from, std::move(target));
    }
    if (!out.deployment.empty() && !out.deployments.empty())
        reader.error("deployments", "has no effect besides deployment, which is used for every request");
}

void read_url(MapReader& reader, BackendConfig& out) {
    if (!reader.has("url")) return reader.error_here("needs a url");
    const auto text = reader.scalar("url", "expected a URL like https://name.openai.azure.com");
    if (!text) return;
    auto url = parse_backend_url(*text);
    if (!url) return reader.error("url", url.error().message);
    out.url = std::move(*url);
}

BackendConfig read_backend(MapReader& reader) {
    BackendConfig out;
    reader.text("name", out.name);
    if (!out.name.empty() && !is_name(out.name)) reader.error("name", std::string(kNameExpected));
    read_url(reader, out);
    out.kind = guess_kind(out.url);
    reader.choice<BackendKind>("kind", out.kind,
                               {{"azure", BackendKind::azure}, {"openai", BackendKind::openai}});
    reader.whole("priority", out.priority);
    reader.whole<std::uint32_t>("weight", out.weight, 1, 1'000'000);
    out.key_style = out.kind == BackendKind::openai ? KeyStyle::bearer : KeyStyle::api_key;
    reader.choice<KeyStyle>("key_style", out.key_style,
                            {{"api-key", KeyStyle::api_key}, {"bearer", KeyStyle::bearer}});
    if (auto key = reader.secret("api_key")) out.api_key = std::move(*key);
    if (!out.api_key.empty() && !out.url.host.empty() && !out.url.tls && !is_loopback(out.url.host))
        reader.warning("url", "is not https: the API key can be read on its way");
    read_deployments(reader, out);

    std::uint64_t per_minute = 0;
    reader.whole<std::uint64_t>("tpm", per_minute, 1);
    if (per_minute != 0) out.tpm = per_minute;
    per_minute = 0;
    reader.whole<std::uint64_t>("rpm", per_minute, 1);
    if (per_minute != 0) out.rpm = per_minute;
    reader.boolean("ptu", out.ptu);

    read_timeouts(reader, out.timeouts);
    read_tls(reader, out, out.tls);
    reader.whole<std::size_t>("max_idle_connections", out.max_idle_connections, 0, 1'000'000);
    reader.finish();
    return out;
}

/// `one` for one.openai.azure.com, another host as it is, `backend-N` where that is no name or not unique.
std::string name_for(const BackendConfig& backend, std::size_t number, const std::set<std::string>& taken) {
    auto name = backend.url.host;
    if (name.ends_with(".azure.com")) name.resize(name.find('.'));
    if (is_name(name) && !taken.contains(name)) return name;
    do name = fmt::format("backend-{}", number++);
    while (taken.contains(name));
    return name;
}

}  // namespace

void check_readable(MapReader& reader, std::string_view key, const std::string& path) {
    if (path.empty()) return;
    auto content = reader.context().sources().read_file(path);
    if (!content) return reader.error(key, "the file " + content.error().message);
    if (content->empty()) reader.error(key, "the file is empty");
    wipe(*content);  // it may be a private key
}

void read_backends(MapReader& root, std::vector<BackendConfig>& out) {
    std::map<std::string, std::string> names;
    std::set<std::string> taken;
    for (const auto& item : root.list("backends", "expected a list of backends")) {
        MapReader reader(root.context(), item);
        if (!reader.valid()) continue;
        auto backend = read_backend(reader);
        if (!backend.name.empty()) {
            if (const auto [it, fresh] = names.try_emplace(backend.name, item.path); !fresh)
                reader.error("name", fmt::format("the name {} is taken by {}", backend.name, it->second));
            taken.insert(backend.name);
        }
        out.push_back(std::move(backend));
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (!out[i].name.empty()) continue;
        out[i].name = name_for(out[i], i + 1, taken);
        taken.insert(out[i].name);
    }
}

}  // namespace spillway::config::yaml
