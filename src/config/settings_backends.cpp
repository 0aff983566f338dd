// Where requests go.
#include <fmt/format.h>

#include "config/codecs.hpp"
#include "config/egress_proxy.hpp"
#include "config/listen.hpp"
#include "config/settings.hpp"
#include "config/settings_auth.hpp"

namespace spillway::config {
namespace {

struct Url {
    void read(yaml::MapReader& reader, std::string_view key, BackendUrl& out) const {
        const auto text = reader.scalar(key, "expected a URL like https://name.openai.azure.com");
        if (!text) return;
        auto url = parse_backend_url(*text);
        if (!url) return reader.error(key, url.error().message);
        out = std::move(*url);
    }
    [[nodiscard]] codec::OptionalValue show(const BackendUrl& value) const {
        return value.host.empty() ? codec::OptionalValue() : Value::quoted(value.to_string());
    }
    void inform(SettingInfo& info) const { info.kind = SettingKind::text; }
};

/// A URL that may hold a password, `none`, or what the environment says.
void read_proxy(yaml::MapReader& reader, BackendConfig& backend) {
    if (const auto given = reader.secret("proxy")) {
        if (given->reveal() == "none") return;
        auto proxy = parse_proxy(given->reveal());
        if (!proxy) return reader.error("proxy", proxy.error().message);
        backend.proxy = std::move(*proxy);
        return;
    }
    if (reader.has("proxy") || reader.has("proxy_env") || reader.has("proxy_file")) return;
    auto proxy = proxy_of_environment(backend.url.tls, backend.url.host, backend.url.port,
                                      reader.context().sources().env);
    if (!proxy)
        return reader.error("url", fmt::format("is to be reached by a proxy, but {}", proxy.error().message));
    backend.proxy = std::move(*proxy);
}

SettingInfo proxy_info() {
    SettingInfo info;
    info.key = "proxy";
    info.kind = SettingKind::secret;
    info.help =
        "HTTP proxy by which it is reached, `http://host:port`, with `user:password@` if it asks for one; "
        "`none` for no proxy whatever the environment says";
    info.default_words =
        "`HTTPS_PROXY` or, for an `http://` URL, `HTTP_PROXY`, except for what `NO_PROXY` names";
    return info;
}

const Fields<DeploymentTimeouts>& deployment_timeouts_fields() {
    static const auto fields =
        Fields<DeploymentTimeouts>()
            .add("first_token", &DeploymentTimeouts::first_token, codec::Time{},
                 {.help = "as above; longer than `limits.request_timeout`, it goes before that",
                  .default_words = "the backend's"})
            .shown_if([](const DeploymentTimeouts& t) { return t.first_token > Duration::zero(); })
            .add("stall", &DeploymentTimeouts::stall, codec::Time{},
                 {.help = "as above", .default_words = "the backend's"})
            .shown_if([](const DeploymentTimeouts& t) { return t.stall > Duration::zero(); });
    return fields;
}

const Fields<BackendTimeouts>& timeouts_fields() {
    static const auto fields =
        Fields<BackendTimeouts>()
            .add("connect", &BackendTimeouts::connect, codec::Time{},
                 {.help = "name look-up, TCP and TLS together"})
            .add("first_token", &BackendTimeouts::first_token, codec::Time{},
                 {.help = "from the request to the first output of its answer, however long a model thinks; "
                          "comments and preambles of a stream are none"})
            .add("stall", &BackendTimeouts::stall, codec::Time{},
                 {.help = "without output after the first, until a stream counts as broken"})
            .map("deployments", &BackendTimeouts::deployments, deployment_timeouts_fields(),
                 "has an empty name; expected a deployment, model or glob",
                 {.help = "other times for some deployments or models, by name or glob (`o3*`)"});
    return fields;
}

const Fields<BackendTls>& tls_fields() {
    static const auto fields =
        Fields<BackendTls>()
            .add("verify", &BackendTls::verify, codec::Flag{}, {.help = "check the backend's certificate"})
            .add("ca_file", &BackendTls::ca_file, codec::ReadableFile{},
                 {.help = "PEM file with the authorities to trust", .default_words = "the system's"})
            .add("server_name", &BackendTls::server_name, codec::Text{},
                 {.help = "name to send and to check", .default_words = "the URL's host"})
            .then([](yaml::MapReader& reader, BackendTls& tls) {
                if (tls.verify) return;
                reader.warning("verify",
                               "the backend's certificate is not checked: whoever answers gets the key");
                if (!tls.ca_file.empty())
                    reader.error("ca_file", "has no effect while verify is false; give one of the two");
            });
    return fields;
}

/// What Azure's documentation calls the base URL of clients is below where a resource begins.
void trim_base_path(BackendConfig& backend) {
    if (backend.kind != BackendKind::azure) return;
    for (const std::string_view tail : {"/openai/v1", "/openai"})
        if (backend.url.base_path.ends_with(tail))
            backend.url.base_path.resize(backend.url.base_path.size() - tail.size());
}

void check_url_and_key(yaml::MapReader& reader, const BackendConfig& backend) {
    if (backend.url.tls && backend.api_key.empty() && !backend.auth.uses_tokens() &&
        is_of_provider(backend.url.host) && !reader.has("api_key") && !reader.has("api_key_env") &&
        !reader.has("api_key_file"))
        reader.warning("url", "has no api_key: requests go to this backend without a credential");
    if (backend.url.host.empty() || backend.url.tls) return;
    if (!backend.api_key.empty() && !is_loopback(backend.url.host))
        reader.warning("url", "is not https: the API key can be read on its way");
    const auto tls = reader.map("tls");
    if (tls && tls->node.IsMap()) reader.error("tls", "has no effect on an http:// URL");
}

}  // namespace

const Fields<BackendConfig>& backend_fields() {
    static const auto fields =
        Fields<BackendConfig>()
            .add("name", &BackendConfig::name, codec::Name{},
                 {.help = "unique; letters, digits, `.`, `_`, `-`; sent to clients as `x-spillway-backend`",
                  .default_words = "from the host, else `backend-N`"})
            .then([](yaml::MapReader& reader, BackendConfig& b) {
                reader.require_unique("name", "backend", b.name);
            })
            .add("url", &BackendConfig::url, Url{},
                 {.help = "`http://` or `https://`, with a path if the API is below one "
                          "(`https://api.openai.com/v1`)",
                  .needed = "needs a url"})
            .then([](yaml::MapReader&, BackendConfig& b) { b.kind = guess_kind(b.url); })
            .add("kind", &BackendConfig::kind,
                 codec::Choice<BackendKind>{{
#define SPILLWAY_DIALECT(name, key_style) {#name, BackendKind::name},
#include "config/dialects.def"
#undef SPILLWAY_DIALECT
                 }},
                 {.help =
                      "`azure` (`/openai/deployments/…`, `/openai/v1/…`) or `openai` (`/v1/…`, the model in "
                      "the body). By default `openai` for api.openai.com and for paths that end in `/v1` "
                      "(not `/openai/v1`)",
                  .default_words = "by the URL"})
            .then([](yaml::MapReader&, BackendConfig& b) { trim_base_path(b); })
            .add("priority", &BackendConfig::priority, codec::Whole{},
                 {.help = "lower is used first; the next is used when all of the lower are out"})
            .add("weight", &BackendConfig::weight, codec::Whole{1, 1'000'000},
                 {.help = "share of the requests among backends of one priority"})
            .then([](yaml::MapReader&, BackendConfig& b) { b.key_style = usual_key_style(b.kind); })
            .add("key_style", &BackendConfig::key_style,
                 codec::Choice<KeyStyle>{{{"api-key", KeyStyle::api_key}, {"bearer", KeyStyle::bearer}}},
                 {.help = "`api-key` (default for `azure`) or `bearer`, which sends `Authorization: Bearer` "
                          "(default for `openai`)",
                  .default_words = "by `kind`"})
            .add("api_key", &BackendConfig::api_key, codec::SecretText{},
                 {.help = "the backend's key, see [Secrets](#secrets); without one, no credential is sent"})
            .row(auth_info(), read_auth, show_auth)
            .add("deployment", &BackendConfig::deployment, codec::Text{},
                 {.help = "deployment that serves every request, whatever the client names"})
            .add("deployments", &BackendConfig::deployments,
                 codec::TextMap{"has an empty name; expected the deployment that clients ask for"},
                 {.help = "map from the deployment or model that clients ask for to this backend's; others "
                          "stay as they are"})
            .add("models", &BackendConfig::models,
                 codec::TextList{"expected a list of deployments or models", "expected a deployment's name"},
                 {.help =
                      "deployments or models it serves, names or globs (`gpt-4o*`), as clients ask for them "
                      "or as it calls them; requests for others go elsewhere",
                  .default_words = "all"})
            .then([](yaml::MapReader& reader, BackendConfig& b) {
                if (!b.deployment.empty() && !b.deployments.empty())
                    reader.error("deployments",
                                 "has no effect besides deployment, which is used for every request");
            })
            .add("tpm", &BackendConfig::tpm, codec::Whole{1},
                 {.help = "tokens per minute of its quota", .default_words = "unknown"})
            .add("rpm", &BackendConfig::rpm, codec::Whole{1},
                 {.help = "requests per minute of its quota", .default_words = "unknown"})
            .add("ptu", &BackendConfig::ptu, codec::Flag{}, {.help = "provisioned throughput"})
            .add("organization", &BackendConfig::organization, codec::Text{},
                 {.help = "sent as `OpenAI-Organization`; a client's own is not passed on"})
            .add("project", &BackendConfig::project, codec::Text{},
                 {.help = "sent as `OpenAI-Project`; a client's own is not passed on"})
            .section("timeouts", &BackendConfig::timeouts, timeouts_fields())
            .section("tls", &BackendConfig::tls, tls_fields())
            .shown_if([](const BackendConfig& b) { return b.url.tls; })
            .row(proxy_info(), read_proxy,
                 [](const BackendConfig& b) -> std::optional<Value> {
                     return b.proxy ? std::optional(Value::quoted(b.proxy->to_string())) : std::nullopt;
                 })
            .add("max_idle_connections", &BackendConfig::max_idle_connections, codec::Whole{0, 1'000'000},
                 {.help = "connections kept open per worker thread; 0 keeps none"})
            .then([](yaml::MapReader& reader, BackendConfig& b) { check_url_and_key(reader, b); });
    return fields;
}

}  // namespace spillway::config
