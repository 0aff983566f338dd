#include "config/aca_env.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/strings.hpp"
#include "config/key_digest.hpp"
#include "config/listen.hpp"
#include "config/yaml_reader.hpp"

namespace spillway::config {
namespace {

constexpr std::string_view kPrefix = "BACKEND_";
constexpr std::array<std::string_view, 4> kProperties{"URL", "PRIORITY", "APIKEY", "DEPLOYMENT_NAME"};
/// The sample reads an int32.
constexpr std::uint32_t kMaxPriority = 2'147'483'647;

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

/// `BACKEND_12_URL` is 12 and `URL`, in upper case.
struct BackendVariable {
    std::uint64_t number = 0;
    std::string property;
};

std::optional<BackendVariable> parse_name(std::string_view name) {
    if (!istarts_with(name, kPrefix)) return std::nullopt;
    const auto rest = name.substr(kPrefix.size());
    const auto split = rest.find('_');
    if (split == std::string_view::npos) return std::nullopt;
    const auto number = parse_int<std::uint64_t>(rest.substr(0, split));
    if (!number) return std::nullopt;
    return BackendVariable{*number, upper(rest.substr(split + 1))};
}

bool is_known(std::string_view property) {
    return std::find(kProperties.begin(), kProperties.end(), property) != kProperties.end();
}

class Loader {
public:
    explicit Loader(const Sources& sources) : sources_(sources) {
        for (const auto& name : sources.env_names) {
            const auto v = parse_name(name);
            if (!v) continue;
            if (is_known(v->property))
                backends_[v->number].try_emplace(v->property, name);
            else
                unknown(name, *v);
        }
    }

    Loaded<GatewayConfig> load() {
        GatewayConfig config;
        read_listen(config);
        read_client(config);
        read_admin(config.admin);
        for (const auto& [number, names] : backends_) config.backends.push_back(read_backend(number, names));
        read_timeout(config);
        if (backends_.empty())
            error("BACKEND_1_URL",
                  "no backend is set; expected BACKEND_1_URL and BACKEND_1_PRIORITY at least");
        Loaded<GatewayConfig> out;
        out.problems = std::move(problems_);
        if (out.errors() == 0) out.value = std::move(config);
        return out;
    }

private:
    using Names = std::map<std::string, std::string, std::less<>>;  ///< property → the variable as spelt

    void error(std::string name, std::string message) {
        problems_.push_back({Severity::error, "", 0, 0, std::move(name), std::move(message)});
    }
    void warning(std::string name, std::string message) {
        problems_.push_back({Severity::warning, "", 0, 0, std::move(name), std::move(message)});
    }

    void unknown(const std::string& name, const BackendVariable& v) {
        const auto near = nearest(v.property, kProperties);
        warning(name, near.empty() ? "is not used"
                                   : fmt::format("is not used; did you mean BACKEND_{}_{}?", v.number, near));
    }

    [[nodiscard]] std::optional<std::string> get(const std::string& name) const {
        auto value = sources_.env(name);
        if (!value) return std::nullopt;
        return std::string(trim(*value));
    }
    /// A variable that is set to something.
    [[nodiscard]] std::optional<std::string> get_some(const std::string& name) const {
        auto value = get(name);
        return value && !value->empty() ? value : std::nullopt;
    }

    [[nodiscard]] std::optional<Secret> get_secret(const std::string& name) {
        auto value = get_some(name);
        if (!value) return std::nullopt;
        Secret secret(*value);
        wipe(*value);
        if (const auto fault = yaml::secret_fault(secret.reveal()); !fault.empty()) {
            error(name, std::string(fault));
            return std::nullopt;
        }
        return secret;
    }

    void read_listen(GatewayConfig& config) {
        config.listen = {"0.0.0.0", 8080};
        if (const auto text = get_some("SPILLWAY_LISTEN")) {
            auto listen = parse_listen(*text);
            if (!listen) return error("SPILLWAY_LISTEN", listen.error().message);
            config.listen = std::move(*listen);
        } else if (const auto ports = get_some("ASPNETCORE_HTTP_PORTS")) {
            // ASP.NET Core takes several, with semicolons between them.
            const auto port = parse_int<std::uint16_t>(trim(std::string_view(*ports)));
            if (!port || *port == 0)
                return error("ASPNETCORE_HTTP_PORTS",
                             "expected one port from 1 to 65535; for anything else set SPILLWAY_LISTEN");
            config.listen.port = *port;
        } else if (get_some("ASPNETCORE_URLS")) {
            warning("ASPNETCORE_URLS",
                    "is not used; set SPILLWAY_LISTEN to listen elsewhere than 0.0.0.0:8080");
        }
    }

    void read_client(GatewayConfig& config) {
        if (const auto key = get_secret("SPILLWAY_CLIENT_KEY")) {
            config.clients.push_back({"default", {digest_of(key->reveal())}});
            return;
        }
        if (const auto value = get("SPILLWAY_CLIENT_KEY")) {
            // Someone meant to ask for a key: never fall back to serving anyone.
            if (value->empty())
                error("SPILLWAY_CLIENT_KEY", "is empty; expected a key, or unset the variable");
            return;
        }
        config.allow_anonymous = true;
        if (!is_loopback(config.listen.host))
            warning(
                "SPILLWAY_CLIENT_KEY",
                "is not set: whoever can connect is served, as by openai-aca-lb; set it to ask for a key");
    }

    void read_admin(AdminConfig& admin) {
        if (const auto text = get_some("SPILLWAY_ADMIN_LISTEN")) {
            auto listen = parse_listen(*text);
            if (!listen) return error("SPILLWAY_ADMIN_LISTEN", listen.error().message);
            admin.listen = std::move(*listen);
        }
        if (auto token = get_secret("SPILLWAY_ADMIN_TOKEN")) admin.token = std::move(*token);
        if (admin.token.empty() && !is_loopback(admin.listen.host))
            warning("SPILLWAY_ADMIN_TOKEN", "is not set: whoever can connect sees the backends and clients");
    }

    [[nodiscard]] std::string spelt(std::uint64_t number, const Names& names,
                                    std::string_view property) const {
        const auto it = names.find(property);
        return it == names.end() ? fmt::format("BACKEND_{}_{}", number, property) : it->second;
    }

    BackendConfig read_backend(std::uint64_t number, const Names& names) {
        BackendConfig out;
        out.name = fmt::format("backend-{}", number);
        const auto url_name = spelt(number, names, "URL");
        if (const auto url = get(url_name)) {
            auto parsed = parse_backend_url(*url);
            if (parsed)
                out.url = std::move(*parsed);
            else
                error(url_name, parsed.error().message);
        } else {
            error(url_name, "is not set; each backend needs a URL and a priority");
        }
        const auto priority_name = spelt(number, names, "PRIORITY");
        if (const auto text = get(priority_name)) {
            const auto priority = parse_int<std::uint32_t>(*text);
            if (priority && *priority <= kMaxPriority)
                out.priority = *priority;
            else
                error(priority_name, fmt::format("expected a whole number from 0 to {}", kMaxPriority));
        } else {
            error(priority_name, "is not set; each backend needs a URL and a priority");
        }
        if (auto proxy = proxy_of_environment(out.url.tls, out.url.host, out.url.port, sources_.env))
            out.proxy = std::move(*proxy);
        else
            error(url_name, fmt::format("is to be reached by a proxy, but {}", proxy.error().message));
        out.kind = guess_kind(out.url);
        out.key_style = usual_key_style(out.kind);

        const auto key_name = spelt(number, names, "APIKEY");
        if (auto key = get_secret(key_name))
            out.api_key = std::move(*key);
        else if (!get_some(key_name))
            use_identity(out, key_name);
        if (!out.api_key.empty() && !out.url.host.empty() && !out.url.tls && !is_loopback(out.url.host))
            warning(url_name, "is not https: the API key can be read on its way");
        out.deployment = get(spelt(number, names, "DEPLOYMENT_NAME")).value_or("");
        return out;
    }

    /// As the sample does for a backend without a key: its DefaultAzureCredential.
    void use_identity(BackendConfig& backend, const std::string& key_name) {
        if (backend.kind != BackendKind::azure)
            return warning(key_name, "is not set: requests go to this backend without a credential");
        backend.auth.kind = AuthKind::entra;
        for (const AuthFault& fault : complete(backend.auth, sources_.env))
            error(key_name, fmt::format("is not set, and the identity's {} {}", fault.key, fault.message));
    }

    void read_timeout(GatewayConfig& config) {
        std::uint32_t seconds = 100;
        if (const auto text = get("HTTP_TIMEOUT_SECONDS")) {
            const auto number = parse_int<std::uint32_t>(*text);
            if (!number || *number == 0 || *number > 86'400)
                return error("HTTP_TIMEOUT_SECONDS", "expected a whole number of seconds from 1 to 86400");
            seconds = *number;
        }
        // YARP's ActivityTimeout: the longest time without a byte in either direction.
        const Duration timeout = std::chrono::seconds(seconds);
        for (auto& b : config.backends) b.timeouts.first_token = b.timeouts.stall = timeout;
        config.limits.request_timeout = std::max(config.limits.request_timeout, timeout);
    }

    const Sources& sources_;
    std::map<std::uint64_t, Names> backends_;
    std::vector<Problem> problems_;
};

}  // namespace

bool has_aca_env(const Sources& sources) {
    return std::any_of(sources.env_names.begin(), sources.env_names.end(), [](const std::string& name) {
        const auto v = parse_name(name);
        return v && is_known(v->property);
    });
}

Loaded<GatewayConfig> load_aca_env(const Sources& sources) {
    return Loader(sources).load();
}

}  // namespace spillway::config
