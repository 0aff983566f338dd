#include "config/backend_auth.hpp"

#include "base/strings.hpp"

namespace spillway::config {
namespace {

class Environment {
public:
    explicit Environment(const EnvLookup& env) : env_(env) {}

    [[nodiscard]] std::string get(std::string_view name) const {
        const auto value = env_(name);
        return value ? std::string(trim(*value)) : std::string();
    }
    void fill(std::string& out, std::string_view name) const {
        if (out.empty()) out = get(name);
    }

private:
    const EnvLookup& env_;
};

/// Azure's SDKs take a host alone, too.
std::string as_url(std::string text) {
    while (text.ends_with('/')) text.pop_back();
    return text.find("://") == std::string::npos ? "https://" + text : text;
}

void fill_credentials(BackendAuth& auth, const Environment& env) {
    const bool any = auth.kind == AuthKind::entra;
    // A managed identity that is asked for by itself is the system's unless the file says otherwise.
    if (auth.kind != AuthKind::managed_identity && auth.kind != AuthKind::azure_cli)
        env.fill(auth.client_id, "AZURE_CLIENT_ID");
    env.fill(auth.tenant, "AZURE_TENANT_ID");
    if (any || auth.kind == AuthKind::workload_identity)
        env.fill(auth.token_file, "AZURE_FEDERATED_TOKEN_FILE");
    if (any || auth.kind == AuthKind::client_certificate)
        env.fill(auth.certificate_file, "AZURE_CLIENT_CERTIFICATE_PATH");
    if ((any || auth.kind == AuthKind::client_secret) && auth.client_secret.empty())
        auth.client_secret = Secret(env.get("AZURE_CLIENT_SECRET"));
    if (const auto host = env.get("AZURE_AUTHORITY_HOST");
        !host.empty() && auth.authority == kPublicAuthority)
        auth.authority = as_url(host);
    if (any || auth.kind == AuthKind::managed_identity) {
        env.fill(auth.identity_endpoint, "IDENTITY_ENDPOINT");
        if (auth.identity_header.empty()) auth.identity_header = Secret(env.get("IDENTITY_HEADER"));
        if (const auto host = env.get("AZURE_POD_IDENTITY_AUTHORITY_HOST"); !host.empty())
            auth.metadata_host = as_url(host);
    }
}

/// As the DefaultAzureCredential of Azure's SDKs goes about it: the environment's service principal, workload
/// identity, managed identity, the developer's own.
std::vector<AuthKind> first_there(const BackendAuth& auth) {
    const bool named = !auth.client_id.empty() && (!auth.tenant.empty() || !auth.token_url.empty());
    if (named && !auth.client_secret.empty()) return {AuthKind::client_secret};
    if (named && !auth.certificate_file.empty()) return {AuthKind::client_certificate};
    if (named && !auth.token_file.empty()) return {AuthKind::workload_identity};
    if (!auth.identity_endpoint.empty()) return {AuthKind::managed_identity};
    return {AuthKind::managed_identity, AuthKind::azure_cli};
}

/// It goes into JSON and forms as it is.
bool is_plain(std::string_view text) noexcept {
    for (const char c : text)
        if (c <= ' ' || c >= '\x7f' || c == '"' || c == '\\') return false;
    return true;
}

}  // namespace

std::string_view to_string(AuthKind kind) noexcept {
    switch (kind) {
        case AuthKind::managed_identity:
            return "managed_identity";
        case AuthKind::workload_identity:
            return "workload_identity";
        case AuthKind::client_secret:
            return "client_secret";
        case AuthKind::client_certificate:
            return "client_certificate";
        case AuthKind::azure_cli:
            return "azure_cli";
        case AuthKind::entra:
            return "entra";
        case AuthKind::key:
            break;
    }
    return "key";
}

std::vector<AuthFault> complete(BackendAuth& auth, const EnvLookup& lookup) {
    auth.sources.clear();
    if (auth.kind == AuthKind::key) return {};
    fill_credentials(auth, Environment(lookup));
    while (auth.authority.ends_with('/')) auth.authority.pop_back();
    if (auth.kind == AuthKind::entra)
        auth.sources = first_there(auth);
    else
        auth.sources = {auth.kind};

    std::vector<AuthFault> faults;
    const auto need = [&](bool there, std::string_view key, std::string message) {
        if (!there) faults.push_back({key, std::move(message)});
    };
    const AuthKind first = auth.sources.front();
    const bool by_assertion = first == AuthKind::workload_identity || first == AuthKind::client_certificate;
    if (by_assertion || first == AuthKind::client_secret) {
        need(!auth.client_id.empty(), "client_id", "is needed, here or in AZURE_CLIENT_ID");
        need(!auth.tenant.empty() || !auth.token_url.empty(), "tenant",
             "is needed, here or in AZURE_TENANT_ID; or token_url, for a server other than Entra");
    }
    need(first != AuthKind::client_secret || !auth.client_secret.empty(), "client_secret",
         "is needed, here, as client_secret_env or client_secret_file, or in AZURE_CLIENT_SECRET");
    need(first != AuthKind::client_certificate || !auth.certificate_file.empty(), "certificate_file",
         "is needed, here or in AZURE_CLIENT_CERTIFICATE_PATH");
    need(first != AuthKind::workload_identity || !auth.token_file.empty(), "token_file",
         "is needed, here or in AZURE_FEDERATED_TOKEN_FILE");
    need(is_plain(auth.client_id), "client_id", "expected visible ASCII without quotes");
    // Azure Arc and Service Fabric have endpoints of that name with other protocols.
    need(first != AuthKind::managed_identity || auth.identity_endpoint.empty() ||
             !auth.identity_header.empty(),
         "kind",
         "finds IDENTITY_ENDPOINT without IDENTITY_HEADER, as on Azure Arc, whose identities are not "
         "supported");
    return faults;
}

}  // namespace spillway::config
