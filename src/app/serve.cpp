// `spillway serve`: the gateway's process: signals, reload, drain.
#include <csignal>
#include <iostream>

#include "app/inherited_sockets.hpp"
#include "app/reloader.hpp"
#include "app/service_manager.hpp"
#include "app/successor.hpp"
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
    double grace_seconds = 600;
    double keep_accepting_seconds = 2;
    bool watch = false;
};

/// How long the process that takes over may need until it serves.
constexpr Duration kSuccessorPatience = std::chrono::minutes(1);
constexpr Duration kLookEvery = std::chrono::seconds(1);  ///< at what may have changed by itself

class Process {
public:
    Process(ServeOptions options, std::shared_ptr<telemetry::Logger> log)
        : options_(std::move(options)),
          log_(log),
          reloader_(options_.config, std::move(log), options_.watch),
          signals_(loop_, {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) {}

    int run() {
        raise_descriptor_limit();
        auto config = reloader_.load();
        if (!config) return 2;
        const bool admin_wanted = config->admin.enabled;
        auto admin_sockets = sockets_.extract(config->admin.listen);
        auto data_sockets = sockets_.extract(config->listen);
        auto started = gateway::Gateway::start(std::move(*config), log_, std::move(data_sockets),
                                               predecessor_.learned());
        if (!started) return failed(started.error());
        gateway_ = std::move(*started);
        for (const std::string& where : sockets_.left())
            log_->warn("a socket that listens on {} was handed to this process and is not configured", where);
        sockets_ = {};
        if (admin_wanted) {
            admin_.emplace(loop_, *gateway_,
                           gateway::Admin::Page{gateway::dashboard::embedded_assets(), SPILLWAY_VERSION});
            admin_->on_reload([this] { return reloader_.reload(*gateway_, "POST /api/reload"); });
            if (admin_sockets.empty()) admin_sockets.emplace_back();
            if (const auto bound = admin_->listen(std::move(admin_sockets.front())); !bound)
                return failed(bound.error());
        }
        const auto& c = gateway_->snapshot()->config;
        log_->info("serving {} backends on {}:{} with {} threads", c.backends.size(), c.listen.host,
                   gateway_->port(), c.threads);
        if (admin_wanted)
            log_->info("dashboard and admin plane on http://{}:{}", c.admin.listen.host, c.admin.listen.port);
        loop_.spawn(watch());
        loop_.spawn(look());
        if (const auto pause = manager_.watchdog()) loop_.spawn(feed_watchdog(*pause));
        manager_.ready();
        predecessor_.tell_served();
        loop_.spawn(heed_predecessor());
        loop_.run();
        admin_.reset();  // whose threads may still ask the gateway's store
        gateway_.reset();
        log_->info("stopped");
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
            if (signal == 0) break;
            if (signal == SIGUSR1) {
                gateway_->reopen_log();
            } else if (signal == SIGHUP && !stopping_) {
                manager_.reloading();
                reloader_.reload(*gateway_, "SIGHUP");
                manager_.ready();
            } else if (signal == SIGHUP) {
                log_->warn("SIGHUP: nothing is reloaded while the gateway ends");
            } else if (signal == SIGUSR2 && stopping_) {
                log_->warn("SIGUSR2: the gateway ends already");
            } else if (signal == SIGUSR2) {
                if (!std::exchange(upgrading_, true)) loop_.spawn(upgrade());
            } else if (!std::exchange(stopping_, true)) {
                loop_.spawn(drain(signal));
            } else {
                hurry();
            }
        }
        loop_.stop();
    }

    /// Starts the program anew on the same sockets, and ends once it serves.
    Task<void> upgrade() {
        log_->info("SIGUSR2: starting {} to take over", program_.path);
        std::vector<int> sockets = gateway_->sockets();
        if (admin_) sockets.push_back(admin_->socket());
        auto successor = Successor::start(program_, sockets);
        bool serves = false;
        if (successor) serves = co_await successor->serves(loop_, kSuccessorPatience, gateway_->learned());
        upgrading_ = false;
        if (!serves) {
            log_->error("the new process did not come to serve, this one goes on{}{}", successor ? "" : ": ",
                        successor ? "" : successor.error().message);
            co_return;
        }
        if (std::exchange(stopping_, true)) {
            log_->info("process {} was to take over, but the gateway is told to end", successor->pid());
            successor->stop();
            co_return;
        }
        log_->info("process {} has taken over", successor->pid());
        manager_.succeeded_by(successor->pid());
        co_await drain(SIGUSR2, &*successor);
    }

    /// What the clients of the one before use, until it has ended.
    Task<void> heed_predecessor() {
        while (const auto more = co_await predecessor_.more(loop_)) gateway_->learn(*more);
        gateway_->predecessor_ended();
    }

    Task<void> drain(int signal, Successor* successor = nullptr) {
        const bool handed_over = successor != nullptr;
        if (!handed_over) manager_.stopping();
        log_->info("draining: {} connections are open; SIGTERM ends them at once", gateway_->connections());
        if (admin_ && handed_over) admin_->hand_over();
        if (admin_) admin_->draining();
        const Mono began = mono_now();
        if (signal == SIGTERM) {  // whoever sent it may tell the balancers a moment later
            gateway_->announce_end();
            co_await pause(began + from_seconds(options_.keep_accepting_seconds));
        }
        if (handed_over)
            gateway_->hand_over();
        else
            gateway_->drain();
        const Mono deadline = began + from_seconds(options_.grace_seconds);
        do {  // connections() is refreshed every 100 ms
            if (handed_over) successor->tell(gateway_->used_since());
            co_await pause(mono_now() + std::chrono::milliseconds(150));
        } while (gateway_->connections() > 0 && mono_now() < deadline && !hurried_);
        if (const auto left = gateway_->connections(); left > 0)
            log_->warn("{}: {} connections are ended", hurried_ ? "told to end at once" : "the grace is over",
                       left);
        if (handed_over) successor->tell(gateway_->used_since());
        if (admin_) admin_->close();
        signals_.close();
    }

    Task<void> pause(Mono until) {
        if (!hurried_) (void)co_await drain_timer_.sleep_until(until);
    }

    void hurry() {
        hurried_ = true;
        drain_timer_.cancel();
    }

    Task<void> look() {
        Timer timer(loop_);
        while (co_await timer.sleep_for(kLookEvery)) {
            if (!stopping_) reloader_.look(*gateway_);
            gateway_->look();
        }
    }

    /// On this loop, so that a loop that stands still is noticed.
    Task<void> feed_watchdog(Duration pause) {
        Timer timer(loop_);
        do manager_.alive();
        while (co_await timer.sleep_for(pause));
    }

    const Program program_ = Program::of_this_process();
    InheritedSockets sockets_ = InheritedSockets::of_environment();
    Predecessor predecessor_ = Predecessor::of_environment();
    ServeOptions options_;
    ServiceManager manager_ = ServiceManager::of_environment();
    std::shared_ptr<telemetry::Logger> log_;
    Reloader reloader_;
    Loop loop_;
    Signals signals_;
    Timer drain_timer_{loop_};
    bool stopping_ = false;
    bool upgrading_ = false;
    bool hurried_ = false;
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
    verb->add_option("--grace", options->grace_seconds,
                     "Seconds that answers under way may take after SIGTERM or SIGINT");
    verb->add_option("--keep-accepting", options->keep_accepting_seconds,
                     "Seconds after SIGTERM in which new connections are still taken");
    verb->add_flag(
        "--watch", options->watch,
        "Reload when the configuration changes, not only when a file that it names (a secret) does");
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
