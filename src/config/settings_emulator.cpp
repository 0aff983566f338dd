// The emulator's file. What a deployment does not say, it has from its resource, and that from the top of the
// file: so rows read into drafts that start with what is inherited.
#include "config/settings_emulator.hpp"

#include <fmt/format.h>

#include "config/codecs.hpp"
#include "config/emulator_defaults.hpp"
#include "config/settings.hpp"

namespace spillway::config {
namespace {

constexpr std::uint64_t kMaxPerMinute = 1'000'000'000'000;
constexpr auto kWindow = codec::Time{std::chrono::milliseconds(100), std::chrono::hours(1)};

const Fields<LatencyConfig>& latency_fields() {
    static constexpr codec::Time ttft{Duration::zero(), std::chrono::hours(1)};
    static const auto fields =
        Fields<LatencyConfig>()
            .add("ttft", &LatencyConfig::ttft, ttft, {.help = "mean time to the first token"})
            .then([](yaml::MapReader& reader, LatencyConfig& latency) {
                if (reader.has("ttft")) latency.ttft_jitter = latency.ttft / 4;
            })
            .add("ttft_jitter", &LatencyConfig::ttft_jitter, ttft,
                 {.help = "most that it differs", .default_words = "a quarter of `ttft`"})
            .add("tokens_per_second", &LatencyConfig::tokens_per_second, codec::Number{0, 1'000'000},
                 {.help = "mean rate; 0 is at once"})
            .add("jitter", &LatencyConfig::jitter, codec::Number{0, 1},
                 {.help = "most that the time between tokens differs, as a fraction"});
    return fields;
}

const Fields<EstimateConfig>& estimate_fields() {
    static const auto fields =
        Fields<EstimateConfig>()
            .add("chars_per_token", &EstimateConfig::chars_per_token, codec::Number{0.01, 1000},
                 {.help = "characters that count as one token when a request is admitted"})
            .add("default_output_tokens", &EstimateConfig::default_output_tokens, codec::Whole{0, 1'000'000},
                 {.help = "stands in for a missing `max_tokens`"});
    return fields;
}

/// The rows of what may stand at the top, in a resource and in a deployment.
template <class Draft>
void add_shape(Fields<Draft>& fields, std::string_view capacity_default) {
    fields
        .add("capacity", [](auto& d) -> auto& { return d.shape.capacity; }, codec::Whole{1, kMaxCapacity},
             {.help = "thousands of tokens per minute of each deployment; each brings 6 requests per minute",
              .default_words = capacity_default})
        .shown_if([](const Draft&) { return false; })
        .section(
            "estimate", [](auto& d) -> auto& { return d.shape.estimate; }, estimate_fields())
        .section(
            "latency", [](auto& d) -> auto& { return d.shape.latency; }, latency_fields());
}

void check_kind(yaml::MapReader& reader, const EmulatedDeployment& d) {
    if (reader.has("ptu_tokens_per_minute") && d.kind != DeploymentKind::ptu)
        reader.error("ptu_tokens_per_minute", "has no effect without kind: ptu");
    for (const auto* key : {"tpm", "rpm", "token_window", "request_window"})
        if (reader.has(key) && d.kind == DeploymentKind::ptu)
            reader.error(key, "has no effect with kind: ptu, which has ptu_tokens_per_minute");
}

bool is_ptu(const DeploymentDraft& d) {
    return d.made.kind == DeploymentKind::ptu;
}
bool is_payg(const DeploymentDraft& d) {
    return d.made.kind == DeploymentKind::payg;
}

Fields<DeploymentDraft> make_deployment_fields() {
    Fields<DeploymentDraft> fields;
    fields
        .add("name", [](auto& d) -> auto& { return d.made.name; }, codec::Name{},
             {.help = "unique in its resource", .needed = "needs a name"})
        .then([](yaml::MapReader& reader, DeploymentDraft& d) {
            d.made.model = d.made.name;
            // Those of each resource are apart.
            const auto list = reader.where().substr(0, reader.where().rfind('['));
            reader.require_unique("name", list, d.made.name);
        })
        .add("model", [](auto& d) -> auto& { return d.made.model; }, codec::Text{},
             {.help = "what answers call the model", .default_words = "the name"})
        .add("kind", [](auto& d) -> auto& { return d.made.kind; },
             codec::Choice<DeploymentKind>{{{"payg", DeploymentKind::payg}, {"ptu", DeploymentKind::ptu}}},
             {.help = "`payg`, or `ptu` for provisioned throughput"});
    add_shape(fields, "the resource's");
    fields
        .then([](yaml::MapReader&, DeploymentDraft& d) {
            d.made = with_capacity(std::move(d.made), d.shape.capacity);
            d.made.estimate = d.shape.estimate;
            d.made.latency = d.shape.latency;
        })
        .add("tpm", [](auto& d) -> auto& { return d.made.tpm; }, codec::Whole{1, kMaxPerMinute},
             {.help = "`payg`: tokens per minute, instead of `capacity`", .default_words = "by `capacity`"})
        .shown_if(is_payg)
        .then([](yaml::MapReader& reader, DeploymentDraft& d) {
            if (!reader.has("tpm")) return;
            d.made.rpm = requests_for(d.made.tpm);
            if (reader.has("capacity"))
                reader.error("tpm", "is given besides capacity, which is thousands of it");
        })
        .add("rpm", [](auto& d) -> auto& { return d.made.rpm; }, codec::Whole{1, kMaxPerMinute},
             {.help = "`payg`: requests per minute", .default_words = "6 for 1,000 tokens"})
        .shown_if(is_payg)
        .add("token_window", [](auto& d) -> auto& { return d.made.token_window; }, kWindow,
             {.help = "`payg`: the count of tokens starts anew this often"})
        .shown_if(is_payg)
        .add("request_window", [](auto& d) -> auto& { return d.made.request_window; }, kWindow,
             {.help = "`payg`: requests are counted in windows this long"})
        .shown_if(is_payg)
        .add("ptu_tokens_per_minute", [](auto& d) -> auto& { return d.made.ptu_tokens_per_minute; },
             codec::Whole{1, kMaxPerMinute},
             {.help = "`ptu`: tokens that drain in a minute", .default_words = "by `capacity`"})
        .shown_if(is_ptu)
        .then([](yaml::MapReader& reader, DeploymentDraft& d) { check_kind(reader, d.made); });
    return fields;
}

/// api_key, api_key_env, api_key_file or the list api_keys; `out` stays as it is if none of them is there.
void read_keys(yaml::MapReader& reader, std::vector<Secret>& out) {
    std::vector<Secret> keys;
    if (auto key = reader.secret("api_key", {"api_keys"})) keys.push_back(std::move(*key));
    const bool listed = reader.has("api_keys");
    for (const auto& item : reader.list("api_keys", "expected a list of keys")) {
        Secret key{item.node.IsScalar() ? item.node.Scalar() : std::string()};
        const auto fault = item.node.IsScalar() ? yaml::secret_fault(key.reveal()) : "expected a text";
        if (!fault.empty())
            reader.context().error(item.node.Mark(), item.path, std::string(fault));
        else
            keys.push_back(std::move(key));
    }
    if (listed || reader.has("api_key") || reader.has("api_key_env") || reader.has("api_key_file"))
        out = std::move(keys);
}

std::optional<Value> show_keys(const ResourceDraft& resource) {
    if (resource.made.api_keys.empty()) return std::nullopt;
    Value out = Value::list();
    for (const auto& key : resource.made.api_keys) out.add({}, Value::secret(key));
    return out;
}

std::optional<Value> show_deployments(const ResourceDraft& resource) {
    std::vector<DeploymentDraft> all;
    for (const auto& d : resource.made.deployments)
        all.push_back({{.estimate = d.estimate, .latency = d.latency}, d});
    return deployment_fields().show_list(all);
}

/// The rows of what may stand at the top and in a resource, but for its deployments.
void add_common(Fields<ResourceDraft>& fields, std::string_view capacity_default) {
    add_shape(fields, capacity_default);
    for (const auto* hidden : {"estimate", "latency"}) fields.hide(hidden);  // shown with the deployments
    fields.then([](yaml::MapReader& reader, ResourceDraft& r) { read_keys(reader, r.made.api_keys); })
        .mention("api_key", SettingKind::secret,
                 {.help = "key that resources accept, see [Secrets](#secrets)", .default_words = "any key"})
        .mention("api_keys", SettingKind::list, {.help = "a list of keys instead"})
        .shown_as(show_keys)
        .add("region", [](auto& r) -> auto& { return r.made.region; }, codec::Text{},
             {.help = "sent as `x-ms-region`"})
        .add("accept_bearer", [](auto& r) -> auto& { return r.made.accept_bearer; }, codec::Flag{},
             {.help = "accept any `Authorization: Bearer`, as for a token of Entra ID"})
        .add("strict", [](auto& r) -> auto& { return r.made.strict; }, codec::Flag{},
             {.help = "refuse what Azure refuses, in its words: unreleased `api-version`s, unknown "
                      "arguments, wrong types and values, messages, tools and schemas that are not "
                      "well-formed, what the model does not take, more tokens than it has (as the "
                      "emulator counts them)"})
        .section(
            "entra", [](auto& r) -> auto& { return r.made.entra; }, issuer_fields(),
            {.help = "switch keys off, as `disableLocalAuth` does: only tokens of this issuer are accepted",
             .default_words = "keys"});
}

SettingInfo deployments_info(std::string_view default_words) {
    SettingInfo info;
    info.key = "deployments";
    info.kind = SettingKind::list;
    info.help = "a list of deployments";
    info.default_words = default_words;
    info.children = deployment_fields().infos();
    return info;
}

}  // namespace

const Fields<DeploymentDraft>& deployment_fields() {
    static const auto fields = make_deployment_fields();
    return fields;
}

const Fields<ResourceDraft>& resource_fields() {
    static const auto fields = [] {
        Fields<ResourceDraft> out;
        out.add("name", [](auto& r) -> auto& { return r.made.name; }, codec::Name{},
                {.help = "unique", .default_words = "`resource-N`"})
            .add("port", [](auto& r) -> auto& { return r.made.port; }, codec::Whole{1},
                 {.help = "port of this resource", .default_words = "by `base_port`"});
        add_common(out, "that at the top");
        return out.row(deployments_info("those at the top"), read_resource_deployments, show_deployments);
    }();
    return fields;
}

const Fields<ResourceDraft>& shared_fields() {
    static const auto fields = [] {
        Fields<ResourceDraft> out;
        add_common(out, "30");
        return out.row(deployments_info("`gpt-4o`, `gpt-4o-mini` and three embedding models"),
                       read_shared_deployments, {});
    }();
    return fields;
}

const Fields<EmulatorDraft>& emulator_fields() {
    static const auto fields = [] {
        Fields<EmulatorDraft> out;
        out.add("host", [](auto& e) -> auto& { return e.config.host; }, codec::Text{},
                {.help = "address of all listeners"})
            .add("admin_port", [](auto& e) -> auto& { return e.config.admin_port; }, codec::Whole{1},
                 {.help = "counters, and faults on command"})
            .add("base_port", &EmulatorDraft::base_port, codec::Whole{1},
                 {.help = "port of the first resource; the others follow"})
            .shown_if([](const EmulatorDraft&) { return false; })
            .add("seed", [](auto& e) -> auto& { return e.config.seed; }, codec::Whole{},
                 {.help = "the same seed gives the same latencies"});
        return out;
    }();
    return fields;
}

std::vector<SettingInfo> emulator_settings() {
    auto out = emulator_fields().infos();
    SettingInfo resources;
    resources.key = "resources";
    resources.kind = SettingKind::list;
    resources.help = "a number, or a list of resources";
    resources.default_value = std::to_string(kDefaultResources);
    resources.children = resource_fields().infos();
    out.push_back(std::move(resources));
    for (auto& info : shared_fields().infos()) out.push_back(std::move(info));
    return out;
}

Value to_value(const EmulatorConfig& config) {
    Value out = emulator_fields().show({config});
    std::vector<ResourceDraft> all;
    for (const auto& resource : config.resources) all.push_back({.made = resource});
    if (auto resources = resource_fields().show_list(all)) out.add("resources", std::move(*resources));
    return out;
}

}  // namespace spillway::config
