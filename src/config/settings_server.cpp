// The process, its listeners, and what a client's connection may take.
#include "config/codecs.hpp"
#include "config/listen.hpp"
#include "config/settings.hpp"

namespace spillway::config {
namespace {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;

/// Where the access log goes: `-`, `off` or a path.
struct LogTarget : codec::Text {
    void read(yaml::MapReader& reader, std::string_view key, std::string& out) const {
        std::string text;
        reader.text(key, text);
        if (!text.empty()) out = text == "-" || text == "off" ? text : reader.context().resolve(text);
    }
};

const Fields<ServerTls>& tls_fields() {
    static const auto fields =
        Fields<ServerTls>()
            .add("cert", &ServerTls::cert_file, codec::ReadableFile{},
                 {.help = "PEM file with the certificate chain, leaf first; with `tls.key` it turns HTTPS on",
                  .needed = "needs cert, a PEM file"})
            .add("key", &ServerTls::key_file, codec::ReadableFile{},
                 {.help = "PEM file with the private key", .needed = "needs key, a PEM file"})
            .add("min_version", &ServerTls::min_version,
                 codec::Choice<TlsVersion>{{{"1.2", TlsVersion::v1_2}, {"1.3", TlsVersion::v1_3}}},
                 {.help = "minimum version of TLS, `'1.2'` or `'1.3'`"})
            .add("ciphers", &ServerTls::ciphers, codec::Text{},
                 {.help = "suites of TLS 1.2, as `openssl ciphers` takes them; HTTP/2 is offered only with "
                          "those that RFC 9113 allows it",
                  .default_words = "Mozilla's intermediate profile"})
            .add("ticket_secret", &ServerTls::ticket_secret, codec::SecretText{},
                 {.help = "secret of all replicas from which the hourly keys of session tickets are made, so "
                          "that a session begun at one is resumed at another; without it each process has "
                          "keys of its own"})
            .add("client_ca", &ServerTls::client_ca, codec::ReadableFile{},
                 {.help = "PEM file with the authorities whose certificates "
                          "[clients](identity.md#certificates) may "
                          "show; re-read like the others",
                  .default_words = "none; no certificate is asked for"})
            .add("client_auth", &ServerTls::client_auth,
                 codec::Choice<ClientAuth>{
                     {{"optional", ClientAuth::optional}, {"required", ClientAuth::required}}},
                 {.help = "`optional`: a client may come without a certificate, and with a key instead; "
                          "`required`: TLS ends without one, also for health checks on this port"})
            .shown_if([](const ServerTls& tls) { return !tls.client_ca.empty(); })
            .then([](yaml::MapReader& reader, ServerTls& tls) {
                if (tls.client_ca.empty() && tls.client_auth == ClientAuth::required)
                    reader.error("client_auth", "needs client_ca, a PEM file with the authorities");
            });
    return fields;
}

}  // namespace

const Fields<GatewayConfig>& server_fields() {
    static const auto fields =
        Fields<GatewayConfig>()
            .add(
                "listen", &GatewayConfig::listen, codec::Address{},
                {.help = "address and port; `0.0.0.0:8080` or `[::]:8080` for all interfaces, port 0 for any "
                         "free one",
                 .apply = Apply::restart})
            .add("threads", &GatewayConfig::threads, codec::Whole{0, 1024},
                 {.help = "worker threads; 0 is one per core", .apply = Apply::restart})
            .add("cors", &GatewayConfig::cors,
                 codec::TextList{"expected a list of origins", "expected an origin like https://app.example"},
                 {.help = "origins whose web pages may ask from a browser (`https://app.example`), or `*`; "
                          "without it preflights are refused"})
            .section("tls", &GatewayConfig::tls, tls_fields());
    return fields;
}

namespace {

const Fields<AdminTokenConfig>& admin_token_fields() {
    static const auto fields =
        Fields<AdminTokenConfig>()
            .add("name", &AdminTokenConfig::name, codec::Name{},
                 {.help = "unique; who it was, in the [audit log](keys.md#admins)", .needed = "needs a name"})
            .then([](yaml::MapReader& reader, AdminTokenConfig& token) {
                reader.require_unique("name", "admin token", token.name);
            })
            .add("role", &AdminTokenConfig::role,
                 codec::Choice<AdminRole>{{{"viewer", AdminRole::viewer},
                                           {"operator", AdminRole::operate},
                                           {"admin", AdminRole::manage}}},
                 {.help = "`viewer` may look; `operator` may drain, disable and enable backends, and reload; "
                          "`admin` may do all, with keys too"})
            .add("token", &AdminTokenConfig::token, codec::SecretText{},
                 {.help = "the bearer token, see [Secrets](#secrets)"})
            .then([](yaml::MapReader& reader, AdminTokenConfig& token) {
                if (token.token.empty())
                    reader.error_here("needs a token: one of token, token_env, token_file");
                else if (token.token.reveal().size() < yaml::kLeastKeyLength)
                    reader.warning("token", yaml::secret_doubt(token.token.reveal(), yaml::kLeastKeyLength));
            });
    return fields;
}

}  // namespace

const Fields<AdminConfig>& admin_fields() {
    static const auto fields =
        Fields<AdminConfig>()
            .add("enabled", &AdminConfig::enabled, codec::Flag{},
                 {.help = "whether there is an admin listener", .apply = Apply::restart})
            .add("listen", &AdminConfig::listen, codec::Address{},
                 {.help = "address and port", .apply = Apply::restart})
            .add(
                "token", &AdminConfig::token, codec::SecretText{},
                {.help = "bearer token that is required; without one, nor `oidc`, anyone who can connect may "
                         "look, and drain backends"})
            .list("tokens", &AdminConfig::tokens, admin_token_fields(), "expected a list of admin tokens")
            .section("oidc", &AdminConfig::oidc, admin_oidc_fields(),
                     {.help = "log-in of people by an OpenID Connect provider, see [below](#admin)",
                      .default_words = "none"})
            .then([](yaml::MapReader& reader, AdminConfig& admin) {
                const bool token = reader.has("token") || reader.has("token_env") ||
                                   reader.has("token_file") || !reader.is_empty_list("tokens");
                if (token && !admin.token.empty() && admin.token.reveal().size() < yaml::kLeastKeyLength)
                    reader.warning("token", yaml::secret_doubt(admin.token.reveal(), yaml::kLeastKeyLength));
                if (admin.enabled && !token && !admin.oidc && !is_loopback(admin.listen.host))
                    reader.warning("listen",
                                   "lets anyone who can connect see the backends and clients; set a token");
            });
    return fields;
}

const Fields<AccessLogConfig>& log_fields() {
    static const auto fields = Fields<AccessLogConfig>().add(
        "access", &AccessLogConfig::path, LogTarget{},
        {.help = "one JSON line per request: `-` is standard output, `off` none, else a file",
         .apply = Apply::restart});
    return fields;
}

const Fields<LimitsConfig>& limits_fields() {
    static const auto fields =
        Fields<LimitsConfig>()
            .add("max_head", &LimitsConfig::max_head_bytes, codec::Size{1 * kKiB, 1 * kMiB},
                 {.help = "request line and fields"})
            .add("max_body", &LimitsConfig::max_body_bytes, codec::Size{1 * kKiB, 1024 * kMiB},
                 {.help = "request body; OpenAI takes 50 MB"})
            .add("max_upload", &LimitsConfig::max_upload_bytes, codec::Size{1 * kKiB, 1024 * kMiB},
                 {.help = "the same of a form, which brings files, if that is more. Parts of uploads have "
                          "up to 64 MB, files up to 512 MB. What is larger than `max_body` leaves half of "
                          "`memory` to others"})
            .add("max_answer_buffer", &LimitsConfig::max_answer_buffer_bytes, codec::Size{0, 1024 * kMiB},
                 {.help = "of an answer that is no stream, held so that it can still be retried"})
            .add("memory", &LimitsConfig::memory_bytes, codec::Size{0, 1024 * 1024 * kMiB},
                 {.help = "request bodies and held answers, all together; beyond it new requests get 503 "
                          "before their body is read; 0 is half of the machine's (or its cgroup's) memory"})
            .add("connection_memory", &LimitsConfig::connection_memory_bytes,
                 codec::Size{1 * kMiB, 1024 * 1024 * kMiB},
                 {.help = "request bodies on one HTTP/2 connection; more wait until some are done with"})
            .add("max_connections", &LimitsConfig::max_connections, codec::Whole{0, 10'000'000},
                 {.help = "clients' connections; 0 is half of the descriptors that the process may open"})
            .add("connections_per_client", &LimitsConfig::connections_per_client, codec::Whole{0, 10'000'000},
                 {.help = "clients' connections from one address (IPv6: one /64); each beyond gets 429 for "
                          "its first request and is closed. A proxy is one address; 0 is no limit"})
            .add("adaptive_concurrency", &LimitsConfig::adaptive_concurrency, codec::Flag{},
                 {.help = "learn from refusals and late first tokens how many requests each backend's "
                          "deployment sustains at a time, and send it no more: others are asked, else 503; "
                          "see [routing](routing.md#overload)"})
            .add("head_timeout", &LimitsConfig::head_timeout, codec::Time{},
                 {.help = "from a request's first byte to the end of its head"})
            .add("body_timeout", &LimitsConfig::body_timeout, codec::Time{},
                 {.help = "between two reads of a request's body"})
            .add("body_time", &LimitsConfig::body_time, codec::Time{},
                 {.help = "from a request's head to the end of its body; a slower one gets 408"})
            .add("body_rate", &LimitsConfig::body_rate, codec::Size{0, 1024 * kMiB},
                 {.help = "bytes a second that a request's body must make in the long run, after "
                          "`body_timeout` of grace; 0 is any"})
            .add("keep_alive_timeout", &LimitsConfig::keep_alive_timeout, codec::Time{},
                 {.help = "between two requests"})
            .add("write_timeout", &LimitsConfig::write_timeout, codec::Time{},
                 {.help = "one write to a client without progress"})
            .add("request_timeout", &LimitsConfig::request_timeout, codec::Time{},
                 {.help = "the whole request with all its attempts"});
    return fields;
}

}  // namespace spillway::config
