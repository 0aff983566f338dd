#include "gateway/gateway.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "gateway/worker.hpp"

namespace spillway::gateway {

namespace {

double state_value(routing::BackendView::State state) {
    return state == routing::BackendView::State::available ? 1 : 0;
}

bool apply_mode(const Snapshot& snapshot, std::string_view backend, routing::Mode mode) {
    const auto& all = snapshot.config.backends;
    const auto at = std::ranges::find(all, backend, &config::BackendConfig::name);
    if (at == all.end()) return false;
    snapshot.router->set_mode(static_cast<routing::BackendIndex>(at - all.begin()), mode);
    return true;
}

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::start(config::GatewayConfig config,
                                                std::shared_ptr<telemetry::Logger> log) {
    if (config.threads == 0) config.threads = std::max(1U, std::thread::hardware_concurrency());
    const config::ListenConfig where = config.listen;
    const std::string access_path = config.access_log.enabled() ? config.access_log.path : std::string();
    const std::uint32_t threads = config.threads;

    if (const auto ec = http::probe({where.host, where.port}))
        return fail(fmt::format("cannot listen on {}:{}: {}", where.host, where.port, ec.message()));
    std::unique_ptr<Gateway> gateway(new Gateway);  // NOLINT: the constructor is private
    auto snapshot = make_snapshot(std::move(config), gateway->books_.quotas);
    if (!snapshot) return snapshot.error();
    if (auto opened = gateway->books_.open((*snapshot)->config); !opened) return opened.error();
    if (auto shared = gateway->books_.share((*snapshot)->config.redis, log); !shared) return shared.error();
    gateway->log_ = std::move(log);
    gateway->snapshot_ = *snapshot;
    if (!access_path.empty()) {
        try {
            gateway->access_log_ = std::make_unique<telemetry::AccessLog>(access_path);
        } catch (const std::system_error& e) {
            return fail(fmt::format("cannot write the access log {}: {}", access_path, e.what()));
        }
    }
    std::random_device seed;
    http::Listen listen{where.host, where.port, true};
    for (std::uint32_t i = 0; i < threads; ++i) {
        auto worker = std::make_unique<Worker>(
            Worker::Shared{gateway->registry_, gateway->access_log_.get(), gateway->books_},
            gateway->snapshot_, (std::uint64_t{seed()} << 32U) | std::uint64_t{seed()});
        if (auto bound = worker->listen(listen); !bound) return bound.error();
        listen.port = worker->port();
        gateway->workers_.push_back(std::move(worker));
    }
    gateway->add_callbacks();
    for (const auto& worker : gateway->workers_) worker->run();
    gateway->books_.share(gateway->snapshot_);
    ::malloc_trim(0);  // what reading a long configuration took goes back to the system
    return gateway;
}

Gateway::~Gateway() {
    for (const auto& worker : workers_) worker->stop();
    workers_.clear();
}

void Gateway::add_callbacks() {
    using telemetry::MetricType;
    callbacks_.push_back(
        registry_.callback(MetricType::gauge, "spillway_connections", "Open client connections",
                           [this](telemetry::Emitter& emit) { emit(static_cast<double>(connections())); }));
    callbacks_.push_back(registry_.callback(MetricType::gauge, "spillway_backend_available",
                                            "Whether a backend takes requests (1) or not (0)",
                                            [this](telemetry::Emitter& emit) {
                                                for (const auto& b : snapshot_->router->view(mono_now()))
                                                    emit({{"backend", b.name}}, state_value(b.state));
                                            }));
    callbacks_.push_back(registry_.callback(MetricType::gauge, "spillway_backend_in_flight",
                                            "Attempts under way at a backend",
                                            [this](telemetry::Emitter& emit) {
                                                for (const auto& b : snapshot_->router->view(mono_now()))
                                                    emit({{"backend", b.name}}, b.in_flight);
                                            }));
    for (auto& registration : books_.metrics(registry_)) callbacks_.push_back(std::move(registration));
    if (access_log_) {
        callbacks_.push_back(registry_.callback(
            MetricType::counter, "spillway_access_log_dropped_lines_total",
            "Access-log lines lost because the disk was too slow or full", [this](telemetry::Emitter& emit) {
                emit(static_cast<double>(access_log_->stats().dropped_lines));
            }));
    }
}

Result<void> Gateway::reload(config::GatewayConfig config) {
    const auto& now = snapshot_->config;
    config.threads = now.threads;
    if (config.listen != now.listen || config.tls != now.tls || config.admin != now.admin ||
        config.access_log != now.access_log)
        log_->warn("listeners, TLS files, admin and log settings change only at a restart");
    if (config.ledger != now.ledger || config.redis != now.redis)
        log_->warn("the ledger and Redis change only at a restart");
    auto snapshot = make_snapshot(std::move(config), books_.quotas);
    if (!snapshot) return snapshot.error();
    const auto before = snapshot_->router->view(mono_now());
    snapshot_ = *snapshot;
    for (const auto& b : before)
        if (b.mode != routing::Mode::on) (void)apply_mode(*snapshot_, b.name, b.mode);
    for (const auto& worker : workers_) worker->use(snapshot_);
    books_.share(snapshot_);
    return {};
}

bool Gateway::set_mode(std::string_view backend, routing::Mode mode) {
    if (!apply_mode(*snapshot_, backend, mode)) return false;
    log_->info("backend {} is {} now, by the admin plane", backend, routing::to_string(mode));
    return true;
}

void Gateway::drain() {
    for (const auto& worker : workers_) worker->drain();
}

std::size_t Gateway::connections() const {
    return std::accumulate(workers_.begin(), workers_.end(), std::size_t{0},
                           [](std::size_t n, const auto& w) { return n + w->connections(); });
}

void Gateway::reopen_log() {
    if (access_log_) access_log_->reopen();
}

std::uint16_t Gateway::port() const noexcept {
    return workers_.front()->port();
}

}  // namespace spillway::gateway
