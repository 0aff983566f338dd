#include "app/start_check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "config/listen.hpp"
#include "gateway/listener_tls.hpp"
#include "gateway/snapshot.hpp"
#include "http/client_authorities.hpp"
#include "http/server.hpp"
#include "http/tls_certificate.hpp"
#include "identity/keepers.hpp"
#include "quota/client_quota.hpp"
#include "store/named_store.hpp"
#include "store/sqlite_schema.hpp"

namespace spillway::app {
namespace {

using config::Problem;
using config::Severity;

void add(std::vector<Problem>& out, Severity severity, std::string key, std::string message) {
    out.push_back({severity, "", 0, 0, std::move(key), std::move(message)});
}

void check_certificate(std::vector<Problem>& out, const config::GatewayConfig& config) {
    if (!config.tls) return;
    const auto facts = http::read_certificate(config.tls->cert_file, config.tls->key_file);
    if (!facts) return add(out, Severity::error, "server.tls", facts.error().message);
    if (const auto& file = config.tls->client_ca; !file.empty())
        if (const auto read = http::ClientAuthorities::read(file); !read)
            return add(out, Severity::error, "server.tls.client_ca", read.error().message);
    if (const auto usable = gateway::ListenerTls(nullptr).read(config.tls); !usable)
        return add(out, Severity::error, "server.tls", usable.error().message);
    const auto days = std::chrono::floor<std::chrono::days>(facts->not_after - wall_now()).count();
    if (days < 0)
        add(out, Severity::warning, "server.tls.cert", "the certificate has expired");
    else if (days < 30)
        add(out, Severity::warning, "server.tls.cert", fmt::format("the certificate ends in {} days", days));
}

void check_address(std::vector<Problem>& out, std::string key, const config::ListenConfig& listen) {
    const auto error = http::probe({listen.host, listen.port});
    if (!error) return;
    const bool taken = error == std::errc::address_in_use;
    add(out, taken ? Severity::warning : Severity::error, std::move(key),
        fmt::format("{}: {}{}", to_string(listen), error.message(),
                    taken ? ", by a gateway that runs already or another program" : ""));
}

/// A file that is written to, or made: it or its folder must let us.
void check_writable(std::vector<Problem>& out, std::string key, const std::string& file) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    const bool there = fs::exists(file, ignored);
    const auto parent = fs::path(file).parent_path();
    const std::string target = there ? file : parent.empty() ? "." : parent.string();
    if (fs::is_directory(file, ignored))
        return add(out, Severity::error, std::move(key), fmt::format("{} is a folder", file));
    if (::access(target.c_str(), there ? W_OK : W_OK | X_OK) != 0)
        add(out, Severity::error, std::move(key),
            fmt::format("cannot write {}: {}", file, std::generic_category().message(errno)));
}

}  // namespace

std::vector<Problem> start_problems(const config::GatewayConfig& config, bool connect) {
    std::vector<Problem> out;
    check_certificate(out, config);
    check_address(out, "server.listen", config.listen);
    if (config.admin.enabled) check_address(out, "admin.listen", config.admin.listen);
    if (config.access_log.enabled() && config.access_log.path != "-")
        check_writable(out, "log.access", config.access_log.path);
    if (!config.ledger.empty()) check_writable(out, "ledger.path", config.ledger);
    if (config.store.enabled() && !config.store.shared())
        if (const auto can = store::can_write_store(config.store.path); !can)
            add(out, Severity::warning, "store.path",
                fmt::format("cannot be written, nothing is kept over a restart and no keys can be made: {}",
                            can.error().message));
    if (connect && config.store.shared())
        if (const auto can = store::can_reach(config.store); !can)
            add(out, Severity::warning, "store.url",
                fmt::format("{}: {}", store::name_of(config.store), can.error().message));
    quota::ClientQuotas quotas;
    identity::Keepers keepers;
    store::ObjectDirectory objects(1);
    const auto snapshot = gateway::make_snapshot(config, quotas, keepers, objects);
    if (!snapshot && std::ranges::find(out, snapshot.error().message, &Problem::message) == out.end())
        add(out, Severity::error, "", snapshot.error().message);
    return out;
}

}  // namespace spillway::app
