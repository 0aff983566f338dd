#pragma once
/// How the gateway authenticates to a backend: with a key, or with an OAuth 2.0 access token that it fetches.
///
/// Plain values. The loader fills in what comes from the environment (AZURE_CLIENT_ID and the like), so that
/// nothing reads it later. Certificates and federated tokens are read again for each access token.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/secret.hpp"
#include "config/sources.hpp"

namespace spillway::config {

inline constexpr std::string_view kAzureOpenAiScope = "https://cognitiveservices.azure.com/.default";
inline constexpr std::string_view kPublicAuthority = "https://login.microsoftonline.com";
/// A virtual machine's instance metadata service.
inline constexpr std::string_view kMetadataHost = "http://169.254.169.254";

enum class AuthKind : std::uint8_t {
    key,                 ///< BackendConfig::api_key, or none
    managed_identity,    ///< App Service's or Container Apps' endpoint, else a VM's metadata service
    workload_identity,   ///< a federated token from a file (Kubernetes)
    client_secret,       ///< OAuth client credentials
    client_certificate,  ///< OAuth client credentials with a signed assertion
    azure_cli,           ///< `az account get-access-token`: for developers
    entra,               ///< the first of these that is available, in the order of Azure's SDKs
};
[[nodiscard]] std::string_view to_string(AuthKind kind) noexcept;

struct BackendAuth {
    AuthKind kind = AuthKind::key;
    /// Asked for a token in this order until one provides it; empty for `key`.
    std::vector<AuthKind> sources;
    std::string client_id;  ///< managed identity: empty for the system-assigned one
    std::string tenant;
    std::string authority{kPublicAuthority};  ///< without a final '/'
    std::string token_url;                    ///< the token endpoint; empty: from authority and tenant
    std::string scope{kAzureOpenAiScope};
    Secret client_secret;
    std::string certificate_file;   ///< PEM: the certificate, and the RSA key unless that is in key_file
    std::string key_file;           ///< PEM
    std::string token_file;         ///< workload identity: the federated token
    std::string identity_endpoint;  ///< App Service and Container Apps; empty: the metadata service
    Secret identity_header;         ///< sent to identity_endpoint
    std::string metadata_host{kMetadataHost};
    std::string ca_file;  ///< PEM, for the token endpoint; empty: the system's
    friend bool operator==(const BackendAuth&, const BackendAuth&) = default;

    [[nodiscard]] bool uses_tokens() const noexcept { return !sources.empty(); }
};

/// What is wrong with one of the settings.
struct AuthFault {
    std::string_view key;
    std::string message;
};

/// Fills unset members from the variables that Azure's SDKs read, then sets `sources`: AZURE_CLIENT_ID,
/// AZURE_TENANT_ID, AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH, AZURE_FEDERATED_TOKEN_FILE,
/// AZURE_AUTHORITY_HOST, IDENTITY_ENDPOINT with IDENTITY_HEADER, AZURE_POD_IDENTITY_AUTHORITY_HOST.
[[nodiscard]] std::vector<AuthFault> complete(BackendAuth& auth, const EnvLookup& env);

}  // namespace spillway::config
