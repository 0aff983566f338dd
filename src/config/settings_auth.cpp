// How the gateway authenticates to a backend.
#include "config/settings_auth.hpp"

#include <fmt/format.h>

#include "config/codecs.hpp"
#include "config/listen.hpp"

namespace spillway::config {
namespace {

codec::Choice<AuthKind> kinds() {
    codec::Choice<AuthKind> out;
    for (const auto kind :
         {AuthKind::key, AuthKind::entra, AuthKind::managed_identity, AuthKind::workload_identity,
          AuthKind::client_secret, AuthKind::client_certificate, AuthKind::azure_cli})
        out.choices.emplace_back(to_string(kind), kind);
    return out;
}

/// Secrets go there: https, or this machine.
void check_private(yaml::MapReader& reader, std::string_view key, const std::string& url) {
    if (url.empty()) return;
    const auto parsed = parse_backend_url(url);
    if (!parsed) return reader.error(key, parsed.error().message);
    if (!parsed->tls && !is_loopback(parsed->host))
        reader.error(key, "is not https: the identity's proof could be read on its way");
}

const Fields<BackendAuth>& auth_fields() {
    static const auto fields =
        Fields<BackendAuth>()
            .add("kind", &BackendAuth::kind, kinds(),
                 {.help = "`key`: `api_key`; `entra`: the first of the others that is there, in the order of "
                          "Azure's SDKs"})
            .add("client_id", &BackendAuth::client_id, codec::Text{},
                 {.help = "the application's or user-assigned identity's id",
                  .default_words = "`AZURE_CLIENT_ID`; of `managed_identity`, the system-assigned one"})
            .add("tenant", &BackendAuth::tenant, codec::Text{},
                 {.help = "Entra's tenant", .default_words = "`AZURE_TENANT_ID`"})
            .add("authority", &BackendAuth::authority, codec::Text{},
                 {.help = "Entra's address, for sovereign clouds",
                  .default_words = "`AZURE_AUTHORITY_HOST`, else `https://login.microsoftonline.com`"})
            .add("token_url", &BackendAuth::token_url, codec::Text{},
                 {.help = "token endpoint of an OAuth 2.0 server other than Entra"})
            .then([](yaml::MapReader& reader, BackendAuth& auth) {
                check_private(reader, "authority", auth.authority);
                check_private(reader, "token_url", auth.token_url);
                if (!auth.token_url.empty()) auth.scope.clear();
            })
            .add("scope", &BackendAuth::scope, codec::Text{},
                 {.help = "what the token is for",
                  .default_words = "`https://cognitiveservices.azure.com/.default`; none with `token_url`"})
            .add("client_secret", &BackendAuth::client_secret, codec::SecretText{},
                 {.help = "see [Secrets](#secrets)", .default_words = "`AZURE_CLIENT_SECRET`"})
            .add("certificate_file", &BackendAuth::certificate_file, codec::ReadableFile{},
                 {.help = "PEM file with the certificate, and its RSA key unless that is in `key_file`; read "
                          "anew for each token",
                  .default_words = "`AZURE_CLIENT_CERTIFICATE_PATH`"})
            .add("key_file", &BackendAuth::key_file, codec::ReadableFile{},
                 {.help = "PEM file with the certificate's key"})
            .add("token_file", &BackendAuth::token_file, codec::Path{},
                 {.help = "federated token of `workload_identity`; read anew for each token",
                  .default_words = "`AZURE_FEDERATED_TOKEN_FILE`"})
            .add("ca_file", &BackendAuth::ca_file, codec::ReadableFile{},
                 {.help = "PEM file with the authorities to trust for the token endpoint",
                  .default_words = "the system's"});
    return fields;
}

}  // namespace

SettingInfo auth_info() {
    SettingInfo info;
    info.key = "auth";
    info.kind = SettingKind::section;
    info.help =
        "who the gateway is to the backend, see [identity.md](identity.md): a kind alone (`auth: "
        "managed_identity`), or a map";
    info.default_words = "`key`";
    for (const auto& choice : kinds().choices) info.choices.emplace_back(choice.first);
    info.children = auth_fields().infos();
    return info;
}

void read_auth(yaml::MapReader& reader, BackendConfig& backend) {
    const auto item = reader.any("auth");
    if (!item) return;
    BackendAuth& auth = backend.auth;
    if (item->node.IsMap())
        auth_fields().read_all(reader.context(), *item, auth);
    else
        kinds().read(reader, "auth", auth.kind);
    for (const AuthFault& fault : complete(auth, reader.context().sources().env))
        reader.error("auth", fmt::format("{}: {} {}", to_string(auth.kind), fault.key, fault.message));
    if (!auth.uses_tokens()) return;
    if (!backend.api_key.empty()) reader.error("auth", "is given besides api_key; expected one of the two");
    if (!backend.url.host.empty() && !backend.url.tls && !is_loopback(backend.url.host))
        reader.warning("url", "is not https: the access token can be read on its way");
}

std::optional<Value> show_auth(const BackendConfig& backend) {
    return backend.auth.uses_tokens() ? auth_fields().show(backend.auth) : std::optional<Value>();
}

}  // namespace spillway::config
