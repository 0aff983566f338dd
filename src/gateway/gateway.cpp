#include "gateway/gateway.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "base/system_memory.hpp"
#include "gateway/worker.hpp"
#include "http/tls_certificate.hpp"

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

/// Half, if none is configured: sockets, TLS, tables and the heap's slack need theirs.
std::size_t memory_limit(const config::LimitsConfig& limits) {
    return limits.memory_bytes > 0 ? limits.memory_bytes : system_memory() / 2;
}

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::start(config::GatewayConfig config,
                                                std::shared_ptr<telemetry::Logger> log) {
    const std::uint32_t configured_threads = config.threads;
    if (config.threads == 0) config.threads = std::max(1U, std::thread::hardware_concurrency());
    const config::ListenConfig where = config.listen;
    const std::string access_path = config.access_log.enabled() ? config.access_log.path : std::string();
    const std::uint32_t threads = config.threads;

    if (const auto ec = http::probe({where.host, where.port}))
        return fail(fmt::format("cannot listen on {}:{}: {}", where.host, where.port, ec.message()));
    std::unique_ptr<Gateway> gateway(new Gateway(log));  // NOLINT: the constructor is private
    auto snapshot = make_snapshot(std::move(config), gateway->books_.quotas, gateway->keepers_);
    if (!snapshot) return snapshot.error();
    if (auto opened = gateway->books_.open((*snapshot)->config); !opened) return opened.error();
    if (auto shared = gateway->books_.share((*snapshot)->config.redis, log); !shared) return shared.error();
    gateway->configured_threads_ = configured_threads;
    if (auto usable = gateway->check_certificate((*snapshot)->config); !usable) return usable.error();
    gateway->snapshot_ = *snapshot;
    gateway->memory_.use_limit(memory_limit((*snapshot)->config.limits));
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
            Worker::Shared{gateway->registry_, gateway->access_log_.get(), gateway->books_, *gateway->log_,
                           gateway->memory_, gateway->shortage_},
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

Gateway::Gateway(std::shared_ptr<telemetry::Logger> log)
    : log_(std::move(log)), memory_(0), keepers_([logger = log_](bool good, const std::string& line) {
          if (good)
              logger->info("{}", line);
          else
              logger->warn("{}", line);
      }) {}

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
    callbacks_.push_back(registry_.callback(MetricType::gauge, "spillway_tls_certificate_not_after_seconds",
                                            "When the listener's TLS certificate ends, in seconds since 1970",
                                            [this](telemetry::Emitter& emit) {
                                                if (certificate_end_)
                                                    emit(to_seconds(certificate_end_->time_since_epoch()));
                                            }));
    callbacks_.push_back(
        registry_.callback(MetricType::gauge, "spillway_memory_bytes",
                           "Memory that request bodies and held answers take, of limits.memory",
                           [this](telemetry::Emitter& emit) { emit(static_cast<double>(memory_.used())); }));
    callbacks_.push_back(registry_.callback(
        MetricType::counter, "spillway_memory_refused_total",
        "Requests refused, or answers not held, for want of limits.memory",
        [this](telemetry::Emitter& emit) { emit(static_cast<double>(memory_.refused())); }));
    for (auto& registration : books_.metrics(registry_)) callbacks_.push_back(std::move(registration));
    if (access_log_) {
        callbacks_.push_back(registry_.callback(
            MetricType::counter, "spillway_access_log_dropped_lines_total",
            "Access-log lines lost because the disk was too slow or full", [this](telemetry::Emitter& emit) {
                emit(static_cast<double>(access_log_->stats().dropped_lines));
            }));
    }
}

Result<void> Gateway::check_certificate(const config::GatewayConfig& config) {
    constexpr auto soon = std::chrono::days(30);
    certificate_end_.reset();
    if (!config.tls) return {};
    const auto facts = http::read_certificate(config.tls->cert_file, config.tls->key_file);
    if (!facts) return facts.error();
    certificate_end_ = facts->not_after;
    const auto left = std::chrono::floor<std::chrono::days>(facts->not_after - wall_now()).count();
    if (facts->not_after <= wall_now())
        log_->warn("the TLS certificate {} of {} has expired", config.tls->cert_file, facts->subject);
    else if (facts->not_after - wall_now() < soon)
        log_->warn("the TLS certificate {} of {} ends in {} days", config.tls->cert_file, facts->subject,
                   left);
    else
        log_->info("TLS certificate {} of {}: {} days left", config.tls->cert_file, facts->subject, left);
    return {};
}

Result<Reloaded> Gateway::reload(config::GatewayConfig fresh) {
    auto running = snapshot_->config;
    running.threads = configured_threads_;
    auto config = config::reloaded(running, fresh);
    if (config.tls.has_value() != running.tls.has_value())
        config.tls = running.tls;  // see settings_server.cpp
    Reloaded done{config::differences(running, config), config::differences(config, fresh)};
    if (auto usable = check_certificate(config); !usable) return usable.error();
    config.threads = snapshot_->config.threads;
    auto snapshot = make_snapshot(std::move(config), books_.quotas, keepers_, snapshot_.get());
    keepers_.prune();
    if (!snapshot) return snapshot.error();
    snapshot_ = *snapshot;
    memory_.use_limit(memory_limit(snapshot_->config.limits));
    for (const auto& worker : workers_) worker->use(snapshot_);
    books_.share(snapshot_);
    return done;
}

bool Gateway::set_mode(std::string_view backend, routing::Mode mode) {
    if (!apply_mode(*snapshot_, backend, mode)) return false;
    log_->info("backend {} is {} now, by the admin plane", backend, routing::to_string(mode));
    return true;
}

std::vector<std::string> Gateway::lacking_credentials() const {
    const Wall now = wall_now();
    std::vector<std::string> out;
    for (const auto& credential : snapshot_->credentials) out.push_back(credential->lack(now));
    return out;
}

bool Gateway::ready() const {
    if (!snapshot_->router->ready(mono_now())) return false;
    const Wall now = wall_now();
    return std::ranges::any_of(snapshot_->credentials,
                               [now](const auto& credential) { return credential->lack(now).empty(); });
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
