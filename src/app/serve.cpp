// `spillway serve`: the gateway's process: signals, reload, drain.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <iostream>

#include "app/verbs.hpp"
#include "config/load.hpp"
#include "gateway/admin.hpp"
#include "gateway/dashboard_page.hpp"
#include "gateway/gateway.hpp"

namespace spillway::app {

namespace {

namespace asio = boost::asio;
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

struct ServeOptions {
    std::string config;
    std::string log_level = "info";
    double grace_seconds = 10;
};

std::optional<config::GatewayConfig> load(const ServeOptions& options) {
    auto loaded = config::load_gateway_from(options.config, config::process_sources());
    std::cerr << config::to_string(loaded.problems);
    return std::move(loaded.value);
}

class Process {
public:
    Process(ServeOptions options, std::shared_ptr<telemetry::Logger> log)
        : options_(std::move(options)), log_(std::move(log)), signals_(context_, SIGINT, SIGTERM, SIGHUP) {
        signals_.add(SIGUSR1);
    }

    int run() {
        auto config = load(options_);
        if (!config) return 2;
        const bool admin_wanted = config->admin.enabled;
        auto started = gateway::Gateway::start(std::move(*config), log_);
        if (!started) return failed(started.error());
        gateway_ = std::move(*started);
        if (admin_wanted) {
            admin_.emplace(context_, *gateway_,
                           gateway::Admin::Page{gateway::dashboard::embedded_assets(), SPILLWAY_VERSION});
            if (const auto bound = admin_->listen(); !bound) return failed(bound.error());
        }
        const auto& c = gateway_->snapshot()->config;
        log_->info("serving {} backends on {}:{} with {} threads", c.backends.size(), c.listen.host,
                   gateway_->port(), c.threads);
        if (admin_wanted)
            log_->info("dashboard and admin plane on http://{}:{}", c.admin.listen.host, c.admin.listen.port);
        asio::co_spawn(context_, watch(), asio::detached);
        context_.run();
        gateway_.reset();
        return 0;
    }

private:
    int failed(const Error& error) {
        std::cerr << "spillway: " << error.message << '\n';
        return 1;
    }

    asio::awaitable<void> watch() {
        for (;;) {
            const auto [ec, signal] = co_await signals_.async_wait(as_values);
            if (ec) co_return;
            if (signal == SIGUSR1) {
                gateway_->reopen_log();
            } else if (signal == SIGHUP) {
                reload();
            } else {
                break;
            }
        }
        log_->info("draining: {} connections are open", gateway_->connections());
        if (admin_) admin_->draining();
        gateway_->drain();
        asio::steady_timer timer(context_);
        const Mono deadline = mono_now() + from_seconds(options_.grace_seconds);
        do {  // connections() is refreshed every 100 ms
            timer.expires_after(std::chrono::milliseconds(150));
            co_await timer.async_wait(as_values);
        } while (gateway_->connections() > 0 && mono_now() < deadline);
        if (admin_) admin_->close();
        log_->info("stopped");
        context_.stop();
    }

    void reload() {
        auto config = load(options_);
        if (!config) {
            log_->error("the new configuration is wrong; the old one stays in use");
            return;
        }
        if (const auto done = gateway_->reload(std::move(*config)); !done)
            log_->error("the new configuration cannot be used: {}; the old one stays", done.error().message);
        else
            log_->info("the new configuration is in use");
    }

    ServeOptions options_;
    std::shared_ptr<telemetry::Logger> log_;
    asio::io_context context_{1};
    asio::signal_set signals_;
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
