#include "gateway/gateway.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <future>
#include <numeric>
#include <random>

#include "base/system_memory.hpp"
#include "gateway/key_keeper.hpp"
#include "gateway/learned_state.hpp"
#include "gateway/worker.hpp"
#include "http/acceptor.hpp"
#include "store/named_store.hpp"

namespace spillway::gateway {

namespace {

double state_value(routing::BackendView::State state) {
    return state == routing::BackendView::State::available ? 1 : 0;
}

/// Shared by all who are waited for.
struct LastOneOut {
    LastOneOut() = default;
    LastOneOut(const LastOneOut&) = delete;
    LastOneOut& operator=(const LastOneOut&) = delete;
    ~LastOneOut() { gone.set_value(); }
    std::promise<void> gone;
};

FileDescriptor copy_of(const FileDescriptor& socket) noexcept {
    return FileDescriptor(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
}

/// Half, if none is configured: sockets, TLS, tables and the heap's slack need theirs.
std::size_t memory_limit(const config::LimitsConfig& limits) {
    return limits.memory_bytes > 0 ? limits.memory_bytes : system_memory() / 2;
}

std::vector<Learned::Sessions> sessions_of(const Snapshot& snapshot) {
    std::vector<Learned::Sessions> out;
    for (const auto& backend : snapshot.config.backends) out.push_back({backend.name, {}});
    for (const auto& [hash, backend] : snapshot.affinity->entries())
        if (backend < out.size()) out[backend].hashes.push_back(hash);
    return out;
}

void remember(const Learned& learned, const Snapshot& snapshot) {
    snapshot.router->remember(learned.router, mono_now());
    for (const auto& [name, hashes] : learned.sessions) {
        const auto at = std::ranges::find(snapshot.config.backends, name, &config::BackendConfig::name);
        if (at == snapshot.config.backends.end()) continue;
        const auto index = at - snapshot.config.backends.begin();
        for (const std::uint64_t hash : hashes)
            snapshot.affinity->put({hash, static_cast<routing::BackendIndex>(index)});
    }
}

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::start(config::GatewayConfig config,
                                                std::shared_ptr<telemetry::Logger> log,
                                                std::vector<FileDescriptor> sockets,
                                                std::string_view learned) {
    const Learned before = read_learned(learned);
    const std::uint32_t configured_threads = config.threads;
    if (config.threads == 0) config.threads = std::max(1U, std::thread::hardware_concurrency());
    const config::ListenConfig where = config.listen;
    const std::string access_path = config.access_log.enabled() ? config.access_log.path : std::string();
    const std::uint32_t threads = config.threads;

    if (sockets.empty()) {
        auto opened = http::open_listeners({where.host, where.port}, threads);
        if (!opened) return opened.error();
        sockets = std::move(*opened);
    }
    std::unique_ptr<Gateway> gateway(new Gateway(log));  // NOLINT: the constructor is private
    auto snapshot =
        make_snapshot(std::move(config), gateway->books_.quotas, gateway->keepers_, gateway->books_.objects);
    if (!snapshot) return snapshot.error();
    if (auto kept = gateway->books_.keep_objects((*snapshot)->config, log); !kept) return kept.error();
    if (auto opened = gateway->books_.open((*snapshot)->config); !opened) return opened.error();
    if (auto shared = gateway->books_.share((*snapshot)->config.redis, log, before.replica); !shared)
        return shared.error();
    gateway->configured_threads_ = configured_threads;
    const auto tls = gateway->tls_.read((*snapshot)->config.tls);
    if (!tls) return tls.error();
    gateway->tls_.use(*tls, (*snapshot)->config.tls, wall_now());
    gateway->snapshot_ = *snapshot;
    gateway->modes_.use(*snapshot);
    gateway->memory_.use_limit(memory_limit((*snapshot)->config.limits));
    if (!access_path.empty()) {
        try {
            gateway->access_log_ = std::make_unique<telemetry::AccessLog>(access_path);
        } catch (const std::system_error& e) {
            return fail(fmt::format("cannot write the access log {}: {}", access_path, e.what()));
        }
    }
    std::random_device seed;
    for (std::uint32_t i = 0; i < threads; ++i) {
        auto worker = std::make_unique<Worker>(
            Worker::Shared{gateway->registry_, gateway->access_log_.get(), gateway->books_, *gateway->log_,
                           gateway->memory_, gateway->addresses_, gateway->shortage_,
                           gateway->refused_certificates_},
            gateway->snapshot_, (std::uint64_t{seed()} << 32U) | std::uint64_t{seed()});
        if (*tls) worker->use_tls(*tls);
        // Of sockets that came from elsewhere there may be more than workers, or fewer.
        for (std::size_t k = i; k < std::max<std::size_t>(sockets.size(), i + 1); k += threads)
            if (auto bound = worker->listen(copy_of(sockets[k % sockets.size()])); !bound)
                return bound.error();
        gateway->workers_.push_back(std::move(worker));
    }
    gateway->sockets_ = std::move(sockets);
    gateway->add_callbacks();
    if (auto keys = gateway->open_keys(gateway->snapshot_->config.store); !keys) return keys.error();
    remember(before, *gateway->snapshot_);
    gateway->learn(before.usage);
    for (const auto& worker : gateway->workers_) worker->run();
    gateway->books_.share(gateway->snapshot_);
    ::malloc_trim(0);  // what reading a long configuration took goes back to the system
    return gateway;
}

Gateway::Gateway(std::shared_ptr<telemetry::Logger> log)
    : log_(std::move(log)),
      memory_(0),
      keepers_([logger = log_](bool good, const std::string& line) {
          if (good)
              logger->info("{}", line);
          else
              logger->warn("{}", line);
      }),
      tls_(log_),
      modes_(log_) {}

Result<void> Gateway::open_keys(const config::StoreConfig& store) {
    if (!store.enabled()) return {};
    keys_ = std::make_unique<KeyKeeper>(
        store::keys_of(store), books_.quotas,
        [this](const std::shared_ptr<const KeyRing>& ring) {
            const auto used = std::make_shared<LastOneOut>();
            for (const auto& worker : workers_) worker->use(ring, used);
            return used->gone.get_future();
        },
        [log = log_](const std::string& line) { log->warn("{}", line); },
        [this](const std::vector<store::ModeRow>& rows) { modes_.follow(rows); });
    if (auto read = keys_->read_first(); !read) {
        const std::string name = store::name_of(store);
        if (!store.shared()) return fail(fmt::format("store {}: {}", name, read.error().message));
        log_->warn(
            "the store {} cannot be read: {}; configured clients are served, keys made at run time and "
            "which backends are drained or disabled are unknown until it can",
            name, read.error().message);
        keys_->go_on_unread();
    }
    keys_->start();
    return {};
}

Gateway::~Gateway() {
    keys_.reset();
    for (const auto& worker : workers_) worker->end();
    for (const auto& worker : workers_) worker->stop();
    books_.objects.stop_reading();
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
    callbacks_.push_back(registry_.callback(
        MetricType::gauge, "spillway_backend_most_in_flight",
        "Requests in flight that a backend's deployment sustains, while it has been asked for more",
        [this](telemetry::Emitter& emit) {
            for (const auto& b : snapshot_->router->view(mono_now()))
                for (const auto& d : b.deployments)
                    if (d.most_in_flight)
                        emit({{"backend", b.name}, {"deployment", d.name}}, *d.most_in_flight);
        }));
    callbacks_.push_back(registry_.callback(MetricType::gauge, "spillway_tls_certificate_not_after_seconds",
                                            "When the listener's TLS certificate ends, in seconds since 1970",
                                            [this](telemetry::Emitter& emit) {
                                                if (const auto end = tls_.end())
                                                    emit(to_seconds(end->time_since_epoch()));
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

Result<Reloaded> Gateway::reload(config::GatewayConfig fresh) {
    auto running = snapshot_->config;
    running.threads = configured_threads_;
    auto config = config::reloaded(running, fresh);
    if (config.tls.has_value() != running.tls.has_value())
        config.tls = running.tls;  // see settings_server.cpp
    Reloaded done{config::differences(running, config), config::differences(config, fresh)};
    const auto tls = tls_.read(config.tls);
    if (!tls) return tls.error();
    config.threads = snapshot_->config.threads;
    auto snapshot =
        make_snapshot(std::move(config), books_.quotas, keepers_, books_.objects, snapshot_.get());
    keepers_.prune();
    if (!snapshot) return snapshot.error();
    snapshot_ = *snapshot;
    modes_.use(snapshot_);
    memory_.use_limit(memory_limit(snapshot_->config.limits));
    tls_.use(*tls, snapshot_->config.tls, wall_now());
    for (const auto& worker : workers_) {
        if (*tls) worker->use_tls(*tls);
        worker->use(snapshot_);
    }
    books_.share(snapshot_);
    return done;
}

void Gateway::look() {
    tls_.remind(wall_now());
    if (access_log_) tell(access_log_->change(), "access log", access_log_->path(), "lines are lost");
    if (books_.ledger)
        tell(books_.ledger->change(), "ledger", snapshot_->config.ledger,
             "rows are kept in memory, up to a bound");
    log_->flush();
}

void Gateway::tell(const std::optional<telemetry::Health::Change>& change, std::string_view what,
                   std::string_view path, std::string_view meanwhile) {
    if (!change) return;
    if (!change->works)
        log_->error("the {} {} cannot be written: {}; {} until it can", what, path, change->why, meanwhile);
    else
        log_->warn("the {} {} is written again{}{}", what, path, change->why.empty() ? "" : ": ",
                   change->why);
}

std::string Gateway::keep_mode(const store::ModeRow& row) {
    if (!keys_) return "the gateway has no store (store.path, store.url)";
    const auto kept = keys_->put_mode(row);
    if (kept) return {};
    log_->warn(
        "backend '{}': that it is {} holds here until this process ends, and is not kept: "
        "the store cannot be written: {}",
        row.backend, row.mode, kept.error().message);
    return "the store cannot be written: " + kept.error().message;
}

void Gateway::audit(std::string_view who, std::string_view what, std::string_view before,
                    std::string_view after) {
    log_->info("audit: {} changed {}: before {}, after {}", who, what, before.empty() ? "-" : before, after);
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

void Gateway::announce_end() {
    for (const auto& worker : workers_) worker->announce_end();
}

void Gateway::hand_over() {
    for (const auto& worker : workers_) worker->hand_over();
    if (books_.store) books_.store->hand_over();
    sockets_.clear();
}

std::vector<int> Gateway::sockets() const {
    std::vector<int> out;
    for (const FileDescriptor& socket : sockets_) out.push_back(socket.get());
    return out;
}

std::string Gateway::learned() {
    teller_ = quota::UsageTeller(books_.quotas);
    return write_learned({books_.replica, snapshot_->router->memory(mono_now()),
                          teller_.changes(quota::read_clocks()), sessions_of(*snapshot_)});
}

std::string Gateway::used_since() {
    return write_learned({{}, {}, teller_.changes(quota::read_clocks()), {}});
}

void Gateway::learn(std::string_view used) {
    learn(read_learned(used).usage);
}

void Gateway::learn(const std::vector<quota::UsageChange>& used) {
    for (const quota::UsageChange& change : used)
        listener_.apply(change, to_limits(snapshot_->config.users.limits), quota::read_clocks());
}

void Gateway::drain() {
    sockets_.clear();
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
