#pragma once
/// The configuration of `spillway serve`: plain values with the defaults of docs/configuration.md.
///
/// Durations are spillway::Duration, sizes bytes. Thread rule: filled at start-up or reload, then shared as
/// const. Errors: none; loading is in config/load.hpp.
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "config/admin_oidc.hpp"
#include "config/backend.hpp"
#include "config/quota.hpp"
#include "config/secret.hpp"

namespace spillway::config {

struct ListenConfig {
    std::string host = "127.0.0.1";  ///< a name or address; "0.0.0.0" or "::" for all
    std::uint16_t port = 8080;       ///< 0: any free port
    friend bool operator==(const ListenConfig&, const ListenConfig&) = default;
};

enum class TlsVersion : std::uint8_t { v1_2, v1_3 };

/// Whether a connection may come without a client certificate.
enum class ClientAuth : std::uint8_t { optional, required };

struct ServerTls {
    std::string cert_file;  ///< PEM: the chain, leaf first
    std::string key_file;   ///< PEM
    TlsVersion min_version = TlsVersion::v1_2;
    std::string ciphers;    ///< for TLS 1.2, in OpenSSL's notation; empty: Mozilla's intermediate profile
    Secret ticket_secret;   ///< for session tickets, shared by replicas; empty: random for this process
    std::string client_ca;  ///< PEM: who vouches for clients' certificates; empty: none is asked for
    ClientAuth client_auth = ClientAuth::optional;
    friend bool operator==(const ServerTls&, const ServerTls&) = default;
};

struct LimitsConfig {
    std::size_t max_head_bytes = std::size_t{32} * 1024;
    std::size_t max_body_bytes = std::size_t{64} * 1024 * 1024;
    std::size_t max_upload_bytes = std::size_t{128} * 1024 * 1024;  ///< of a form; at least max_body_bytes
    std::size_t max_answer_buffer_bytes =
        std::size_t{4} * 1024 * 1024;  ///< a plain answer is held back up to this
                                       ///< size, so that it can still be retried
    std::size_t memory_bytes = 0;  ///< for all bodies and held answers together; 0 = half of the machine's
    std::size_t connection_memory_bytes = std::size_t{64} * 1024 * 1024;  ///< for bodies on one connection
    std::size_t max_connections = 0;         ///< for the process; 0 = half of its descriptors
    std::size_t connections_per_client = 0;  ///< from one address; 0 = no limit
    bool adaptive_concurrency = false;       ///< requests in flight at a deployment: what it sustains
    Duration head_timeout = std::chrono::seconds(10);        ///< from a head's first byte to its last
    Duration body_timeout = std::chrono::seconds(30);        ///< between two reads of a body
    Duration body_time = std::chrono::minutes(5);            ///< from a body's first byte to its last
    std::size_t body_rate = 1024;                            ///< minimum bytes per second of a body; 0 = any
    Duration keep_alive_timeout = std::chrono::seconds(75);  ///< idle between requests
    Duration write_timeout = std::chrono::seconds(60);       ///< a write to the client without progress
    Duration request_timeout = std::chrono::seconds(600);    ///< the whole request, with all attempts
    friend bool operator==(const LimitsConfig&, const LimitsConfig&) = default;
};

/// What an admin may do; each may do what those before it may.
enum class AdminRole : std::uint8_t {
    viewer,   ///< look
    operate,  ///< "operator": drain, disable and enable backends, reload
    manage,   ///< "admin": keys too
};

struct AdminTokenConfig {
    std::string name;  ///< unique; in the audit log
    AdminRole role = AdminRole::viewer;
    Secret token;
    friend bool operator==(const AdminTokenConfig&, const AdminTokenConfig&) = default;
};

struct AdminConfig {
    bool enabled = true;
    ListenConfig listen{"127.0.0.1", 8081};
    Secret token;                          ///< an admin's without a name; see is_open()
    std::vector<AdminTokenConfig> tokens;  ///< of admins with names
    std::optional<AdminOidcConfig> oidc;   ///< nullopt: no log-in
    /// Whether anyone who can connect may do all.
    [[nodiscard]] bool is_open() const noexcept { return token.empty() && tokens.empty() && !oidc; }
    friend bool operator==(const AdminConfig&, const AdminConfig&) = default;
};

/// SHA-256 of a client's key; the same type as identity::KeyDigest.
using KeySha256 = std::array<unsigned char, 32>;

struct ClientConfig {
    std::string name;             ///< unique
    std::vector<KeySha256> keys;  ///< one, or several during rotation; none if it is known by another way
    std::string claim{};          ///< value of the token's client claim; empty: the name
    std::string header{};         ///< value of the trusted client header; empty: the name
    std::string team{};           ///< empty: none
    std::vector<std::string> deployments{};  ///< those it may use; empty: all
    PriorityClass priority = PriorityClass::normal;
    QuotaConfig limits{};
    std::vector<std::string> networks{};      ///< where it may call from; empty: anywhere
    std::vector<std::string> certificates{};  ///< names of its certificates (base/certificate_name.hpp)
    bool require_certificate = false;         ///< a key or token is not enough, nor a certificate
    friend bool operator==(const ClientConfig&, const ClientConfig&) = default;
};

/// Limits retries to ratio × requests, plus `burst` saved up, so that a retry storm cannot double the load.
struct RetryBudget {
    double ratio = 0.2;         ///< retries earned by each request
    std::uint32_t burst = 100;  ///< most retries that can be saved
    friend bool operator==(const RetryBudget&, const RetryBudget&) = default;
};

struct RetryConfig {
    std::uint32_t max_attempts = 0;  ///< per request, including the first; 0 = number of backends + 1
    RetryBudget budget;
    Duration default_cool_down = std::chrono::seconds(10);  ///< if a refusal names no time
    Duration max_cool_down = std::chrono::seconds(60);      ///< caps what a backend asks for
    Duration max_wait{};      ///< how long a request may wait for quota; 0: it is refused at once
    bool on_timeout = false;  ///< try another backend after an accepted request times out
    friend bool operator==(const RetryConfig&, const RetryConfig&) = default;
};

struct AffinityConfig {
    bool prompt_cache = true;  ///< prompts with the same long beginning go to the same backend
    friend bool operator==(const AffinityConfig&, const AffinityConfig&) = default;
};

struct StreamConfig {
    bool late_commit = true;  ///< hold back preamble events until the first output
    std::size_t max_preamble_bytes = std::size_t{256} * 1024;  ///< commit once the preamble exceeds this
    Duration heartbeat = std::chrono::seconds(10);             ///< silence before a comment is sent; 0: none
    bool include_usage = true;  ///< request the usage chunk; hide it from clients that did not
    friend bool operator==(const StreamConfig&, const StreamConfig&) = default;
};

struct AccessLogConfig {
    std::string path = "-";  ///< "-" = standard output, "off" = none, else a file
    [[nodiscard]] bool enabled() const noexcept { return path != "off"; }
    friend bool operator==(const AccessLogConfig&, const AccessLogConfig&) = default;
};

/// Where what clients made, and keys made at run time, are kept.
struct StoreConfig {
    std::string path;  ///< SQLite file; empty: in the state folder; "off": memory only
    Secret url;        ///< of a PostgreSQL database, instead of the file; see config/store_url.hpp
    [[nodiscard]] bool enabled() const noexcept { return shared() || (!path.empty() && path != "off"); }
    [[nodiscard]] bool shared() const noexcept { return !url.empty(); }
    friend bool operator==(const StoreConfig&, const StoreConfig&) = default;
};

/// Whether clients see what others made.
enum class Tenancy : std::uint8_t {
    automatic,  ///< isolated if there is more than one client or team
    isolated,   ///< no: it is as if it were not there
    shared,     ///< yes
};

struct GatewayConfig {
    ListenConfig listen;
    std::uint32_t threads = 0;      ///< worker threads; 0 = one per core
    std::optional<ServerTls> tls;   ///< nullopt: plain HTTP
    std::vector<std::string> cors;  ///< origins whose pages may call; "*": all; empty: none
    LimitsConfig limits;
    AdminConfig admin;
    std::vector<ClientConfig> clients;  ///< empty: anyone who can connect
    bool allow_anonymous = false;       ///< permits empty `clients` on a public address
    std::vector<BackendConfig> backends;
    RetryConfig retry;
    AffinityConfig affinity;
    StreamConfig stream;
    AccessLogConfig access_log;
    std::vector<TeamConfig> teams;
    UsersConfig users;
    IdentityConfig identity;
    WeightsConfig weights;
    std::map<std::string, PriceConfig, std::less<>> prices;  ///< by model
    FairnessConfig fairness;
    std::string ledger;      ///< path of the usage ledger; empty: none
    Duration ledger_keep{};  ///< older rows are dropped; 0: none are
    RedisConfig redis;
    StoreConfig store;
    Tenancy tenancy = Tenancy::automatic;
    friend bool operator==(const GatewayConfig&, const GatewayConfig&) = default;

    /// retry.max_attempts, with 0 resolved.
    [[nodiscard]] std::uint32_t max_attempts() const noexcept {
        return retry.max_attempts != 0 ? retry.max_attempts : static_cast<std::uint32_t>(backends.size()) + 1;
    }
};

}  // namespace spillway::config
