#pragma once
/// One backend: an Azure OpenAI resource or an OpenAI-compatible endpoint.
///
/// Plain values, filled by config/yaml.hpp or config/aca_env.hpp. Durations are spillway::Duration, sizes
/// bytes, rates per minute. docs/configuration.md explains each key to the user.
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "config/backend_auth.hpp"
#include "config/egress_proxy.hpp"
#include "config/secret.hpp"

namespace spillway::config {

/// An http or https URL without user, query and fragment (RFC 3986, RFC 9110 §4.2).
struct BackendUrl {
    bool tls = false;
    std::string host;  ///< lower case; an IPv6 address without its brackets
    std::uint16_t port = 80;
    std::string base_path;  ///< "" or "/…" without a final '/'; precedes the request's path

    /// For the Host field: IPv6 in brackets, and the port unless it is the scheme's default.
    [[nodiscard]] std::string authority() const;
    [[nodiscard]] std::string to_string() const;
    friend bool operator==(const BackendUrl&, const BackendUrl&) = default;
};

/// Parses all of `text`; the Error says what was expected, and contains no part of `text` before an '@',
/// where a password could be.
[[nodiscard]] Result<BackendUrl> parse_backend_url(std::string_view text);

/// The kind of backend, which decides its dialect; see config/dialects.def and api/dialect.hpp.
enum class BackendKind : std::uint8_t {
#define SPILLWAY_DIALECT(name, key_style) name,
#include "config/dialects.def"
#undef SPILLWAY_DIALECT
};

enum class KeyStyle : std::uint8_t {
    api_key,  ///< `api-key: K` (usual for Azure)
    bearer,   ///< `Authorization: Bearer K` (usual for OpenAI)
};

/// Zero means the backend's own time-out.
struct DeploymentTimeouts {
    Duration first_token{};
    Duration stall{};
    friend bool operator==(const DeploymentTimeouts&, const DeploymentTimeouts&) = default;
};

struct BackendTimeouts {
    Duration connect = std::chrono::seconds(5);        ///< name, TCP and TLS together
    Duration first_token = std::chrono::seconds(600);  ///< from the request sent to the first output
    Duration stall = std::chrono::seconds(300);        ///< between two outputs of a stream
    /// By model or deployment, as the client or this backend calls it; names or globs. Names win over globs.
    std::map<std::string, DeploymentTimeouts, std::less<>> deployments;
    friend bool operator==(const BackendTimeouts&, const BackendTimeouts&) = default;
};

struct BackendTls {
    bool verify = true;
    std::string ca_file;      ///< PEM; empty: the system's
    std::string server_name;  ///< SNI and the name verified; empty: the URL's host
    friend bool operator==(const BackendTls&, const BackendTls&) = default;
};

struct BackendConfig {
    std::string name;  ///< unique
    BackendUrl url;
    BackendKind kind = BackendKind::azure;
    std::uint32_t priority = 1;  ///< lower is used first
    std::uint32_t weight = 1;    ///< > 0; share among backends of one priority
    Secret api_key;              ///< empty: no credential is sent
    KeyStyle key_style = KeyStyle::api_key;
    BackendAuth auth;  ///< used instead of api_key, unless its kind is `key`

    std::string deployment;  ///< used for every request; empty: see `deployments`
    /// From the client's model or deployment name to this backend's deployment; other names pass unchanged.
    std::map<std::string, std::string, std::less<>> deployments;
    /// What it serves, as names or globs (config/served_models.hpp); empty: anything.
    std::vector<std::string> models;

    std::optional<std::uint64_t> tpm;  ///< tokens per minute; nullopt: learned
    std::optional<std::uint64_t> rpm;  ///< requests per minute
    bool ptu = false;                  ///< provisioned throughput: a leaky bucket, not minute windows

    std::string organization;  ///< OpenAI-Organization; empty: none is sent
    std::string project;       ///< OpenAI-Project; empty: none is sent

    BackendTimeouts timeouts;
    BackendTls tls;
    std::optional<EgressProxy> proxy;        ///< used to reach it; nullopt: direct
    std::size_t max_idle_connections = 256;  ///< pooled per worker thread; 0 = no pool
    friend bool operator==(const BackendConfig&, const BackendConfig&) = default;
};

/// The time-outs of a request for `requested`, as adjusted by `timeouts.deployments`.
[[nodiscard]] DeploymentTimeouts timeouts_for(const BackendConfig& backend, std::string_view requested);

/// The deployment that serves a request for `requested` here; `requested` itself if nothing maps it. The
/// result views the config or the argument.
[[nodiscard]] std::string_view resolve_deployment(const BackendConfig& backend, std::string_view requested);

/// azure for hosts under .openai.azure.com, .cognitiveservices.azure.com, .services.ai.azure.com; openai for
/// api.openai.com, or a base path that ends in `/v1` but not `/openai/v1`; otherwise azure.
[[nodiscard]] BackendKind guess_kind(const BackendUrl& url);

/// The target of a GET that lists models, with the backend's base path: it requires a credential and costs
/// nothing.
[[nodiscard]] std::string models_target(const BackendConfig& backend);

/// Whether the host belongs to Azure or OpenAI, where nothing is served without a credential.
[[nodiscard]] bool is_of_provider(std::string_view host) noexcept;

[[nodiscard]] std::string_view to_string(BackendKind kind) noexcept;
/// nullopt if there is no such kind.
[[nodiscard]] std::optional<BackendKind> find_kind(std::string_view name) noexcept;
/// How backends of this kind usually accept a key.
[[nodiscard]] KeyStyle usual_key_style(BackendKind kind) noexcept;
[[nodiscard]] std::string_view to_string(KeyStyle style) noexcept;

}  // namespace spillway::config
