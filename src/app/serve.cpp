// `spillway serve`: the gateway's process: signals, reload, drain.
#include <csignal>
#include <iostream>

#include "app/reloader.hpp"
#include "app/service_manager.hpp"
#include "app/verbs.hpp"
#include "base/descriptors.hpp"
#include "base/loop.hpp"
#include "base/signals.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "gateway/admin.hpp"
#include "gateway/dashboard_page.hpp"
#include "gateway/gateway.hpp"

namespace spillway::app {

namespace {

struct ServeOptions {
    std::string config;
    std::string log_level = "info";
    double grace_seconds = 10;
    bool watch = false;
};

constexpr Duration kLookEvery = std::chrono::seconds(1);  ///< at watched files

class Process {
public:
    Process(ServeOptions options, std::shared_ptr<telemetry::Logger> log)
        : options_(std::move(options)),
          log_(log),
          reloader_(options_.config, std::move(log)),
          signals_(loop_, {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {}

    int run() {
        raise_descriptor_limit();
        auto config = reloader_.load();
        if (!config) return 2;
        const bool admin_wanted = config->admin.enabled;
        auto started = gateway::Gateway::start(std::move(*config), log_);
        if (!started) return failed(started.error());
        gateway_ = std::move(*started);
        if (admin_wanted) {
            admin_.emplace(loop_, *gateway_,
                           gateway::Admin::Page{gateway::dashboard::embedded_assets(), SPILLWAY_VERSION});
            admin_->on_reload([this] { return reloader_.reload(*gateway_, "POST /api/reload"); });
            if (const auto bound = admin_->listen(); !bound) return failed(bound.error());
        }
        const auto& c = gateway_->snapshot()->config;
        log_->info("serving {} backends on {}:{} with {} threads", c.backends.size(), c.listen.host,
                   gateway_->port(), c.threads);
        if (admin_wanted)
            log_->info("dashboard and admin plane on http://{}:{}", c.admin.listen.host, c.admin.listen.port);
        loop_.spawn(watch());
        if (options_.watch) loop_.spawn(watch_files());
        if (const auto pause = manager_.watchdog()) loop_.spawn(feed_watchdog(*pause));
        manager_.ready();
        loop_.run();
        gateway_.reset();
        return 0;
    }

private:
    int failed(const Error& error) {
        std::cerr << "spillway: " << error.message << '\n';
        return 1;
    }

    Task<void> watch() {
        for (;;) {
            const int signal = co_await signals_.next();
            if (signal == SIGUSR1) {
                gateway_->reopen_log();
            } else if (signal == SIGHUP) {
                manager_.reloading();
                reloader_.reload(*gateway_, "SIGHUP");
                manager_.ready();
            } else {
                break;
            }
        }
        manager_.stopping();
        log_->info("draining: {} connections are open", gateway_->connections());
        if (admin_) admin_->draining();
        gateway_->drain();
        Timer timer(loop_);
        const Mono deadline = mono_now() + from_seconds(options_.grace_seconds);
        do {  // connections() is refreshed every 100 ms
            (void)co_await timer.sleep_for(std::chrono::milliseconds(150));
        } while (gateway_->connections() > 0 && mono_now() < deadline);
        if (admin_) admin_->close();
        log_->info("stopped");
        loop_.stop();
    }

    Task<void> watch_files() {
        Timer timer(loop_);
        while (co_await timer.sleep_for(kLookEvery)) reloader_.look(*gateway_);
    }

    /// On this loop, so that a loop that stands still is noticed.
    Task<void> feed_watchdog(Duration pause) {
        Timer timer(loop_);
        do manager_.alive();
        while (co_await timer.sleep_for(pause));
    }

    ServeOptions options_;
    ServiceManager manager_ = ServiceManager::of_environment();
    std::shared_ptr<telemetry::Logger> log_;
    Reloader reloader_;
    Loop loop_;
    Signals signals_;
    std::unique_ptr<gateway::Gateway> gateway_;
    std::optional<gateway::Admin> admin_;
};

}  // namespace

void add_serve(CLI::App& app, Run& run) {
    auto* verb = app.add_subcommand("serve", "Run the gateway");
    auto options = std::make_shared<ServeOptions>();
    verb->add_option("-c,--config", options->config,
                     "Configuration file; without it $SPILLWAY_CONFIG, else BACKEND_1_URL and its kin");
    verb->add_option("--log-level", options->log_level, "trace, debug, info, warn, error, critical or off");
    verb->add_option("--grace", options->grace_seconds, "Seconds that answers under way may take at the end");
    verb->add_flag("--watch", options->watch,
                   "Reload when the configuration, or a file that it names, changes");
    verb->callback([options, &run] {
        run = [options] {
            const auto level = telemetry::parse_log_level(options->log_level);
            if (!level) {
                std::cerr << "spillway: --log-level: " << level.error().message << '\n';
                return 2;
            }
            std::signal(SIGPIPE, SIG_IGN);
            Process process(*options, telemetry::make_logger(*level));
            return process.run();
        };
    });
}

}  // namespace spillway::app
