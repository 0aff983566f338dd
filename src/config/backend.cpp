#include "config/backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/strings.hpp"
#include "config/served_models.hpp"

namespace spillway::config {
namespace urls = boost::urls;

namespace {

/// Whether a path is that of one operation, as a portal's "target URI" has it, and not where the API begins.
bool names_operation(std::string_view path) {
    constexpr std::array<std::string_view, 5> ends{"/chat/completions", "/completions", "/embeddings",
                                                   "/responses", "/models"};
    while (path.ends_with('/')) path.remove_suffix(1);
    return path.find("/openai/deployments/") != path.npos ||
           std::any_of(ends.begin(), ends.end(), [&](auto end) { return path.ends_with(end); });
}

}  // namespace

std::string BackendUrl::authority() const {
    const auto shown = host.find(':') == std::string::npos ? host : '[' + host + ']';
    return port == (tls ? 443 : 80) ? shown : fmt::format("{}:{}", shown, port);
}

std::string BackendUrl::to_string() const {
    return fmt::format("{}://{}{}", tls ? "https" : "http", authority(), base_path);
}

Result<BackendUrl> parse_backend_url(std::string_view text) {
    constexpr auto expected = "expected a URL like https://name.openai.azure.com";
    const auto parsed = urls::parse_absolute_uri(text);
    if (!parsed) return fail(fmt::format("is not a URL; {}", expected));
    const urls::url_view& url = *parsed;
    const bool tls = url.scheme_id() == urls::scheme::https;
    if (!tls && url.scheme_id() != urls::scheme::http)
        return fail(fmt::format("has a scheme other than http and https; {}", expected));
    if (url.has_userinfo())
        return fail("holds a user name or password; give the credential as api_key instead");
    if (names_operation(url.encoded_path()))
        return fail(
            fmt::format("names a deployment or an operation; {}, without what comes after it", expected));
    if (url.has_query()) return fail(fmt::format("has a query (?…), which would be lost; {}", expected));

    BackendUrl out;
    out.tls = tls;
    const auto address = url.host_type() == urls::host_type::ipv6 ? url.host_ipv6_address().to_string() : "";
    // A name with escapes or an IPvFuture literal is nothing a resolver could use.
    if (url.host_type() == urls::host_type::ipvfuture ||
        url.encoded_host().find('%') != std::string_view::npos)
        return fail(fmt::format("has a host that cannot be resolved; {}", expected));
    out.host = address.empty() ? std::string(url.encoded_host()) : std::string(address);
    if (out.host.empty()) return fail(fmt::format("has no host; {}", expected));
    std::transform(out.host.begin(), out.host.end(), out.host.begin(), ascii_lower);
    out.port = tls ? 443 : 80;
    if (url.has_port() && !std::string_view(url.port()).empty()) {
        const auto port = parse_int<std::uint16_t>(std::string_view(url.port()));
        if (!port || *port == 0) return fail("has a port outside 1…65535");
        out.port = *port;
    }
    out.base_path = std::string(url.encoded_path());
    // Boost 1.81 takes `x` in `https://h:x` for a path.
    if (!out.base_path.empty() && out.base_path.front() != '/') return fail("has a port outside 1…65535");
    while (out.base_path.ends_with('/')) out.base_path.pop_back();
    return out;
}

std::string_view resolve_deployment(const BackendConfig& backend, std::string_view requested) {
    if (!backend.deployment.empty()) return backend.deployment;
    const auto it = backend.deployments.find(requested);
    return it == backend.deployments.end() ? requested : std::string_view(it->second);
}

DeploymentTimeouts timeouts_for(const BackendConfig& backend, std::string_view requested) {
    const BackendTimeouts& all = backend.timeouts;
    DeploymentTimeouts out{all.first_token, all.stall};
    if (all.deployments.empty()) return out;
    const std::string_view own = resolve_deployment(backend, requested);
    auto found = all.deployments.find(requested);
    if (found == all.deployments.end()) found = all.deployments.find(own);
    if (found == all.deployments.end())
        found = std::find_if(all.deployments.begin(), all.deployments.end(), [&](const auto& one) {
            return matches_glob(one.first, requested) || matches_glob(one.first, own);
        });
    if (found == all.deployments.end()) return out;
    if (found->second.first_token > Duration::zero()) out.first_token = found->second.first_token;
    if (found->second.stall > Duration::zero()) out.stall = found->second.stall;
    return out;
}

namespace {
bool is_of_azure(std::string_view host) noexcept {
    constexpr std::array<std::string_view, 3> azure{".openai.azure.com", ".cognitiveservices.azure.com",
                                                    ".services.ai.azure.com"};
    return std::any_of(azure.begin(), azure.end(), [&](auto suffix) { return host.ends_with(suffix); });
}
}  // namespace

bool is_of_provider(std::string_view host) noexcept {
    return is_of_azure(host) || host == "api.openai.com";
}

std::string models_target(const BackendConfig& backend) {
    const auto& base = backend.url.base_path;
    if (backend.kind == BackendKind::azure) return base + "/openai/models?api-version=2024-10-21";
    return base.ends_with("/v1") ? base + "/models" : base + "/v1/models";
}

BackendKind guess_kind(const BackendUrl& url) {
    const std::string_view host = url.host;
    if (is_of_azure(host)) return BackendKind::azure;
    const std::string_view path = url.base_path;
    const bool openai = host == "api.openai.com" || (path.ends_with("/v1") && !path.ends_with("/openai/v1"));
    return openai ? BackendKind::openai : BackendKind::azure;
}

namespace {
struct KindRow {
    std::string_view name;
    KeyStyle key_style;
};
constexpr std::array kKinds{
#define SPILLWAY_DIALECT(name, key_style) KindRow{#name, KeyStyle::key_style},
#include "config/dialects.def"
#undef SPILLWAY_DIALECT
};
}  // namespace

std::string_view to_string(BackendKind kind) noexcept {
    return kKinds[static_cast<std::size_t>(kind)].name;
}
std::optional<BackendKind> find_kind(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kKinds.size(); ++i)
        if (kKinds[i].name == name) return static_cast<BackendKind>(i);
    return std::nullopt;
}
KeyStyle usual_key_style(BackendKind kind) noexcept {
    return kKinds[static_cast<std::size_t>(kind)].key_style;
}
std::string_view to_string(KeyStyle style) noexcept {
    return style == KeyStyle::api_key ? "api-key" : "bearer";
}

}  // namespace spillway::config
