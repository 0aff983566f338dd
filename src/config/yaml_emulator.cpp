#include <fmt/format.h>

#include <map>

#include "config/emulator_defaults.hpp"
#include "config/yaml.hpp"
#include "config/yaml_sections.hpp"

namespace spillway::config {
namespace yaml {
namespace {

constexpr std::uint64_t kMaxPerMinute = 1'000'000'000'000;

void read_latency(MapReader& reader, LatencyConfig& out) {
    const auto item = reader.map("latency");
    if (!item) return;
    MapReader latency(reader.context(), *item);
    latency.duration("ttft", out.ttft, Duration::zero(), std::chrono::hours(1));
    if (latency.has("ttft")) out.ttft_jitter = out.ttft / 4;
    latency.duration("ttft_jitter", out.ttft_jitter, Duration::zero(), std::chrono::hours(1));
    latency.real("tokens_per_second", out.tokens_per_second, 0, 1'000'000);
    latency.real("jitter", out.jitter, 0, 1);
    latency.finish();
}

void read_estimate(MapReader& reader, EstimateConfig& out) {
    const auto item = reader.map("estimate");
    if (!item) return;
    MapReader estimate(reader.context(), *item);
    estimate.real("chars_per_token", out.chars_per_token, 0.01, 1000);
    estimate.whole<std::uint32_t>("default_output_tokens", out.default_output_tokens, 0, 1'000'000);
    estimate.finish();
}

/// What a deployment has unless it says otherwise.
struct DeploymentDefaults {
    std::uint64_t capacity = kDefaultCapacity;
    EstimateConfig estimate;
    LatencyConfig latency;
};

void read_defaults(MapReader& reader, DeploymentDefaults& out) {
    reader.whole<std::uint64_t>("capacity", out.capacity, 1, kMaxCapacity);
    read_estimate(reader, out.estimate);
    read_latency(reader, out.latency);
}

EmulatedDeployment read_deployment(MapReader& reader, const DeploymentDefaults& defaults) {
    auto own = defaults;
    read_defaults(reader, own);
    EmulatedDeployment out = with_capacity({}, own.capacity);
    out.estimate = own.estimate;
    out.latency = own.latency;
    reader.text("name", out.name);
    if (!reader.has("name"))
        reader.error_here("needs a name");
    else if (!out.name.empty() && !is_name(out.name))
        reader.error("name", std::string(kNameExpected));
    out.model = out.name;
    reader.text("model", out.model);
    reader.choice<DeploymentKind>("kind", out.kind,
                                  {{"payg", DeploymentKind::payg}, {"ptu", DeploymentKind::ptu}});
    if (reader.has("tpm")) {
        reader.whole<std::uint64_t>("tpm", out.tpm, 1, kMaxPerMinute);
        if (reader.has("capacity"))
            reader.error("tpm", "is given besides capacity, which is thousands of it");
        out.rpm = requests_for(out.tpm);
    }
    reader.whole<std::uint64_t>("rpm", out.rpm, 1, kMaxPerMinute);
    reader.duration("token_window", out.token_window, std::chrono::milliseconds(100), std::chrono::hours(1));
    reader.duration("request_window", out.request_window, std::chrono::milliseconds(100),
                    std::chrono::hours(1));
    reader.whole<std::uint64_t>("ptu_tokens_per_minute", out.ptu_tokens_per_minute, 1, kMaxPerMinute);
    if (reader.has("ptu_tokens_per_minute") && out.kind != DeploymentKind::ptu)
        reader.error("ptu_tokens_per_minute", "has no effect without kind: ptu");
    for (const auto* key : {"tpm", "rpm", "token_window", "request_window"})
        if (reader.has(key) && out.kind == DeploymentKind::ptu)
            reader.error(key, "has no effect with kind: ptu, which has ptu_tokens_per_minute");
    reader.finish();
    return out;
}

std::vector<EmulatedDeployment> read_deployments(MapReader& reader, const DeploymentDefaults& defaults) {
    std::vector<EmulatedDeployment> out;
    std::map<std::string, std::string> names;
    for (const auto& item : reader.list("deployments", "expected a list of deployments")) {
        MapReader one(reader.context(), item);
        if (!one.valid()) continue;
        out.push_back(read_deployment(one, defaults));
        const auto& name = out.back().name;
        if (name.empty()) continue;
        if (const auto [it, fresh] = names.try_emplace(name, item.path); !fresh)
            one.error("name", fmt::format("the name {} is taken by {}", name, it->second));
    }
    return out;
}

/// api_key, api_key_env, api_key_file or the list api_keys; false if none of them is there.
bool read_keys(MapReader& reader, std::vector<Secret>& out) {
    std::vector<Secret> keys;
    if (auto key = reader.secret("api_key", {"api_keys"})) keys.push_back(std::move(*key));
    const bool listed = reader.has("api_keys");
    for (const auto& item : reader.list("api_keys", "expected a list of keys")) {
        Secret key{item.node.IsScalar() ? item.node.Scalar() : std::string()};
        const auto fault = item.node.IsScalar() ? secret_fault(key.reveal()) : "expected a text";
        if (!fault.empty())
            reader.context().error(item.node.Mark(), item.path, std::string(fault));
        else
            keys.push_back(std::move(key));
    }
    if (!listed && !reader.has("api_key") && !reader.has("api_key_env") && !reader.has("api_key_file"))
        return false;
    out = std::move(keys);
    return true;
}

/// What each resource is unless it says otherwise.
struct Shape {
    EmulatedResource model;
    std::uint16_t base_port = kDefaultBasePort;
    DeploymentDefaults defaults;
    YAML::Node document;
};

/// The deployments at the top of the file with a resource's own defaults; their faults are reported once
/// only, where load_emulator() reads them.
std::vector<EmulatedDeployment> shared_deployments(const Shape& shape, const Sources& sources,
                                                   const DeploymentDefaults& defaults) {
    Context unheard("", "", sources);
    MapReader root(unheard, {shape.document, ""});
    auto out = read_deployments(root, defaults);
    if (!out.empty()) return out;
    out = default_deployments(defaults.capacity);
    for (auto& d : out) {
        d.estimate = defaults.estimate;
        d.latency = defaults.latency;
    }
    return out;
}

EmulatedResource read_resource(MapReader& reader, const Shape& shape) {
    auto out = shape.model;
    auto defaults = shape.defaults;
    reader.text("name", out.name);
    if (!out.name.empty() && !is_name(out.name)) reader.error("name", std::string(kNameExpected));
    reader.whole<std::uint16_t>("port", out.port, 1);
    read_keys(reader, out.api_keys);
    reader.text("region", out.region);
    reader.boolean("accept_bearer", out.accept_bearer);
    read_defaults(reader, defaults);
    if (reader.has("deployments")) {
        out.deployments = read_deployments(reader, defaults);
        if (is_empty_list(reader, "deployments"))
            reader.error("deployments", "needs at least one deployment");
    } else {
        out.deployments = shared_deployments(shape, reader.context().sources(), defaults);
    }
    reader.finish();
    return out;
}

void name_and_port(EmulatedResource& resource, std::size_t index, std::uint16_t base_port) {
    if (resource.name.empty()) resource.name = resource_name(index);
    const auto port = base_port + index;
    // A port beyond the last one stays 0, which check_whole() reports.
    if (resource.port == 0 && port <= 0xffff) resource.port = static_cast<std::uint16_t>(port);
}

void read_resources(MapReader& root, const Shape& shape, std::vector<EmulatedResource>& out) {
    const auto item = root.any("resources");
    std::uint32_t count = kDefaultResources;
    if (item && item->node.IsSequence()) {
        for (const auto& one : root.list("resources")) {
            MapReader reader(root.context(), one);
            out.push_back(read_resource(reader, shape));
        }
        if (is_empty_list(root, "resources")) root.error("resources", "needs at least one resource");
    } else {
        if (item && !item->node.IsScalar())
            root.error("resources", "expected a number of resources or a list of them");
        else
            root.whole<std::uint32_t>("resources", count, 1, 1000);
        out.assign(count, shape.model);
    }
    for (std::size_t i = 0; i < out.size(); ++i) name_and_port(out[i], i, shape.base_port);
}

/// Each name and each port once.
void check_whole(MapReader& root, const EmulatorConfig& config) {
    std::map<std::uint16_t, std::string> ports{{config.admin_port, "admin_port"}};
    std::map<std::string, std::string> names;
    for (std::size_t i = 0; i < config.resources.size(); ++i) {
        const auto& resource = config.resources[i];
        const auto path = fmt::format("resources[{}]", i);
        if (resource.port == 0)
            root.error("resources", fmt::format("{} has no port left below 65536; lower base_port", path));
        else if (const auto [it, fresh] = ports.try_emplace(resource.port, path); !fresh)
            root.error("resources",
                       fmt::format("{} has port {}, which is taken by {}", path, resource.port, it->second));
        if (const auto [it, fresh] = names.try_emplace(resource.name, path); !fresh)
            root.error("resources", fmt::format("{} has the name {}, which is taken by {}", path,
                                                resource.name, it->second));
    }
}

}  // namespace
}  // namespace yaml

Loaded<EmulatorConfig> load_emulator(std::string_view text, std::string file_name, const Sources& sources) {
    yaml::Context context(text, std::move(file_name), sources);
    EmulatorConfig config;
    if (const auto document = yaml::parse(text, context)) {
        yaml::MapReader root(context, {*document, ""});
        yaml::Shape shape;
        root.text("host", config.host);
        root.whole<std::uint16_t>("admin_port", config.admin_port, 1);
        root.whole<std::uint64_t>("seed", config.seed);
        root.whole<std::uint16_t>("base_port", shape.base_port, 1);
        yaml::read_defaults(root, shape.defaults);
        yaml::read_keys(root, shape.model.api_keys);
        root.text("region", shape.model.region);
        root.boolean("accept_bearer", shape.model.accept_bearer);
        static_cast<void>(yaml::read_deployments(root, shape.defaults));
        shape.document = *document;
        shape.model.deployments = yaml::shared_deployments(shape, sources, shape.defaults);
        yaml::read_resources(root, shape, config.resources);
        root.finish();
        if (root.valid()) yaml::check_whole(root, config);
    }
    Loaded<EmulatorConfig> out;
    if (!context.failed()) out.value = std::move(config);
    out.problems = context.take_problems();
    return out;
}

}  // namespace spillway::config
