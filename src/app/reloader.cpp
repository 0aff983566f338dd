#include "app/reloader.hpp"

#include <cstdlib>
#include <iostream>

#include "app/default_store.hpp"
#include "config/load.hpp"
#include "gateway/gateway.hpp"

namespace spillway::app {
namespace {

constexpr std::size_t kMostLines = 20;

void log_changes(telemetry::Logger& log, const gateway::Reloaded& done) {
    for (std::size_t i = 0; i < done.changed.size() && i < kMostLines; ++i)
        log.info("changed: {}", done.changed[i].to_string());
    if (done.changed.size() > kMostLines)
        log.info("changed: {} settings more", done.changed.size() - kMostLines);
    for (const auto& difference : done.needs_restart)
        log.warn("needs a restart, the old value stays in use: {}", difference.to_string());
}

}  // namespace

std::optional<config::GatewayConfig> Reloader::read(std::vector<std::string>& problems) {
    std::vector<config::FileWatch::Read> files;
    auto loaded = config::load_gateway_from(file_, config::recorded(config::process_sources(), files));
    // Secrets change by themselves; a configuration may be half written.
    if (!watches_all_) {
        const char* const named = std::getenv("SPILLWAY_CONFIG");
        const std::string itself = !file_.empty() || named == nullptr ? file_ : std::string(named);
        std::erase_if(files, [&](const auto& file) { return file.path == itself; });
    }
    if (loaded.value)
        watch_.start(std::move(files));
    else  // what is in use stays so, and goes on being watched
        watch_.add(files);
    for (const auto& problem : loaded.problems) problems.push_back(problem.to_string());
    if (loaded.value && loaded.value->store.path.empty() && !loaded.value->store.shared())
        loaded.value->store.path = default_store(file_);
    return std::move(loaded.value);
}

std::optional<config::GatewayConfig> Reloader::load() {
    std::vector<std::string> problems;
    auto config = read(problems);
    for (const auto& problem : problems) std::cerr << problem << '\n';
    return config;
}

gateway::ReloadReport Reloader::reload(gateway::Gateway& gateway, std::string_view why) {
    gateway::ReloadReport report;
    auto config = read(report.problems);
    for (const auto& problem : report.problems) log_->warn("{}", problem);
    if (!config) {
        report.failure = "the new configuration is wrong; the old one stays in use";
    } else if (auto done = gateway.reload(std::move(*config))) {
        report.done = std::move(*done);
    } else {
        report.failure = "the new configuration cannot be used, the old one stays: " + done.error().message;
    }
    if (!report.failure.empty()) {
        log_->error("reload ({}): {}", why, report.failure);
        return report;
    }
    log_->info("reload ({}): the new configuration is in use, {} settings changed", why,
               report.done.changed.size());
    log_changes(*log_, report.done);
    return report;
}

void Reloader::look(gateway::Gateway& gateway) {
    if (watch_.settled_change()) reload(gateway, "a file has changed");
}

}  // namespace spillway::app
