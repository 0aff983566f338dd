#pragma once
/// Loads the gateway's configuration at start-up, and again for SIGHUP, POST /api/reload and `serve
/// --watch`.
///
/// Ownership: the caller owns the gateway passed to reload(). Thread rule: the main thread. Errors: load()
/// prints them; reload() returns and logs them, and the old configuration stays in use.
#include <memory>
#include <optional>
#include <string>

#include "config/file_watch.hpp"
#include "config/gateway.hpp"
#include "gateway/reload.hpp"
#include "telemetry/log.hpp"

namespace spillway::gateway {
class Gateway;
}

namespace spillway::app {

class Reloader {
public:
    /// `watches_all`: look() looks at the configuration's file too, not only at those that it names.
    Reloader(std::string file, std::shared_ptr<telemetry::Logger> log, bool watches_all = true)
        : file_(std::move(file)), watches_all_(watches_all), log_(std::move(log)) {}

    /// At start-up; prints problems to standard error.
    [[nodiscard]] std::optional<config::GatewayConfig> load();
    gateway::ReloadReport reload(gateway::Gateway& gateway, std::string_view why);
    /// Reloads if a watched file has changed and is stable since; call about once a second.
    void look(gateway::Gateway& gateway);

private:
    [[nodiscard]] std::optional<config::GatewayConfig> read(std::vector<std::string>& problems);

    std::string file_;
    bool watches_all_;
    std::shared_ptr<telemetry::Logger> log_;
    config::FileWatch watch_;
};

}  // namespace spillway::app
