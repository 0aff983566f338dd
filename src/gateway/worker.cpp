#include "gateway/worker.hpp"

#include "base/descriptors.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "gateway/key_ring.hpp"
#include "gateway/request.hpp"
#include "gateway/state_log.hpp"

namespace spillway::gateway {

namespace {
/// Takes a free place or a new one; gives it back at the end. Counts those that are taken.
class SlotLease {
public:
    using Free = std::vector<std::unique_ptr<RequestSlot>>;
    SlotLease(Free& free, std::size_t& taken) : free_(free), taken_(taken) {
        if (free_.empty()) {
            slot_ = std::make_unique<RequestSlot>();
        } else {
            slot_ = std::move(free_.back());
            free_.pop_back();
        }
        ++taken_;
    }
    SlotLease(const SlotLease&) = delete;
    SlotLease& operator=(const SlotLease&) = delete;
    ~SlotLease() {
        --taken_;
        slot_->request.reset();
        slot_->upstream.reset();
        slot_->memory.clear();
        if (free_.size() < kept) free_.push_back(std::move(slot_));
    }
    [[nodiscard]] RequestSlot* operator->() const noexcept { return slot_.get(); }

private:
    static constexpr std::size_t kept = 1024;
    Free& free_;
    std::size_t& taken_;
    std::unique_ptr<RequestSlot> slot_;
};

constexpr Duration tick_length = std::chrono::milliseconds(100);
/// At the end: how long clients may take to read what they are told, and requests to be recorded.
constexpr Duration last_words = std::chrono::seconds(2);
constexpr Duration last_records = std::chrono::seconds(1);
constexpr Duration last_words_look = std::chrono::milliseconds(5);
/// Users and former clients that are looked at each tick, whether they may be forgotten.
constexpr std::size_t forgotten_a_tick = 16;

http::ServerLimits server_limits(const config::GatewayConfig& c, const Worker::Shared& shared) {
    http::ServerLimits limits;
    limits.memory = &shared.memory;
    limits.addresses = &shared.addresses;
    limits.connections_per_client = c.limits.connections_per_client;
    limits.max_connection_body_bytes = c.limits.connection_memory_bytes;
    limits.max_head_bytes = c.limits.max_head_bytes;
    limits.max_body_bytes = c.limits.max_body_bytes;
    limits.max_upload_bytes = c.limits.max_upload_bytes;
    limits.head_timeout = c.limits.head_timeout;
    limits.body_timeout = c.limits.body_timeout;
    limits.body_time = c.limits.body_time;
    limits.body_rate = c.limits.body_rate;
    limits.keep_alive_timeout = c.limits.keep_alive_timeout;
    limits.write_timeout = c.limits.write_timeout;
    const std::size_t workers = std::max(1U, c.threads);
    // Without a limit of the configuration's, half of the descriptors are for backends and all else.
    std::size_t connections = c.limits.max_connections;
    if (connections == 0) connections = descriptor_limit() / 2;
    limits.max_connections = (connections + workers - 1) / workers;
    return limits;
}
}  // namespace

Upstreams::Upstreams(Loop& loop, std::shared_ptr<const Snapshot> s, telemetry::Registry& registry)
    : snapshot(std::move(s)), metrics(registry) {
    origins.reserve(snapshot->config.backends.size());
    for (const auto& backend : snapshot->config.backends)
        origins.emplace_back(loop, origin_options(backend)).look_up();
}

Worker::Worker(Shared shared, const std::shared_ptr<const Snapshot>& snapshot, std::uint64_t seed)
    : rng(seed),
      subset_key(rng()),
      writers{std::nullopt, shared.books.objects.make_writer()},
      books(shared.books),
      users(shared.books.quotas),
      shared_(shared),
      upstreams_(std::make_shared<Upstreams>(context_, snapshot, shared_.registry)),
      server_(context_, server_limits(snapshot->config, shared_),
              [this](http::Exchange& exchange) { return handle(exchange); }),
      ticker_(context_) {
    server_.hand_over_heads();
    server_.on_refused_certificate(
        [this](std::string_view peer, std::string_view why) { tell_refused_certificate(peer, why); });
    server_.on_shortage([this](const std::error_code&) { shared_.shortage.note(mono_now()); });
    if (shared.access_log != nullptr) {
        log.emplace(shared.access_log->make_writer());
        // While an answer is awaited, the log's writer would be in its way where both have one core.
        poller_.before_wait([this] {
            if (places_.taken == 0) log->idle();
        });
    }
    if (books.ledger) writers.ledger.emplace(books.ledger->make_writer());
    context_.spawn(tick());
}

Worker::~Worker() {
    stop();
}

Result<void> Worker::listen(FileDescriptor socket) {
    return server_.listen(std::move(socket));
}

void Worker::run() {
    thread_ = std::thread([this] { context_.run(); });
}

void Worker::use(std::shared_ptr<const Snapshot> snapshot) {
    context_.post([this, s = std::move(snapshot)]() mutable {
        const auto& config = s->config;
        server_.use_limits(server_limits(config, shared_));
        auto made_keys = std::move(upstreams_->made_keys);
        upstreams_ = std::make_shared<Upstreams>(context_, std::move(s), shared_.registry);
        upstreams_->made_keys = std::move(made_keys);
        keep_apart();
    });
}

void Worker::use_tls(http::TlsContext::Shared tls) {
    context_.post([this, shared = std::move(tls)]() mutable { server_.use_tls(std::move(shared)); });
}

void Worker::announce_end() {
    context_.post([this] { server_.announce_end(); });
}

void Worker::hand_over() {
    context_.post([this] {
        server_.announce_end();
        server_.stop_accepting();
    });
}

void Worker::use(std::shared_ptr<const KeyRing> made_keys, std::shared_ptr<const void> until_used) {
    context_.post([this, keys = std::move(made_keys), until_used = std::move(until_used)]() mutable {
        upstreams_->made_keys = std::make_shared<const std::shared_ptr<const KeyRing>>(std::move(keys));
        keep_apart();
    });
}

/// Keys that were made are of more clients than one.
void Worker::keep_apart() noexcept {
    const Snapshot& snapshot = *upstreams_->snapshot;
    const Upstreams::MadeKeys& keys = upstreams_->made_keys;
    if (keys && (*keys)->any_made() && snapshot.config.tenancy == config::Tenancy::automatic)
        snapshot.isolated.store(true, std::memory_order_relaxed);
}

void Worker::drain() {
    context_.post([this] { server_.drain(); });
}

void Worker::end() {
    context_.post([this] {
        if (!std::exchange(places_.ending, true)) context_.spawn(end_all());
    });
}

Task<void> Worker::end_all() {
    ticker_.cancel();
    server_.drain();
    for (auto at = places_.open.begin(); at != places_.open.end();) (at++)->shut_down();
    Timer timer(context_);
    for (const Mono end = mono_now() + last_words; mono_now() < end;) {
        if (places_.taken == 0 && server_.connections() == 0) break;
        (void)co_await timer.sleep_for(last_words_look);
    }
    // Who does not read sees a closed socket, and is recorded as well.
    server_.close();
    for (const Mono end = mono_now() + last_records; places_.taken > 0 && mono_now() < end;)
        (void)co_await timer.sleep_for(last_words_look);
    context_.stop();
}

void Worker::stop() {
    if (!thread_.joinable()) return;
    end();
    thread_.join();
    charges().finish(quota::read_clocks());
    if (log) log->flush();
}

PendingCharges Worker::charges() noexcept {
    return {books, upstreams_->snapshot->clients, writers.ledger ? &*writers.ledger : nullptr};
}

Task<void> Worker::tick() {
    for (;;) {
        const bool rang = co_await ticker_.sleep_for(tick_length);
        if (!rang) co_return;
        if (log) log->flush();
        connections_.store(server_.connections());
        for (const routing::StateChange& change : upstreams_->snapshot->router->fetch_changes())
            shared_.process_log.warn("{}", describe(change));
        const quota::Now now = quota::read_clocks();
        if (const auto shortage = shared_.shortage.change(now.mono)) tell_shortage(*shortage);
        (void)books.quotas.forget(now, forgotten_a_tick);
        charges().expire(now);
    }
}

void Worker::tell_shortage(bool begun) {
    if (begun)
        shared_.process_log.warn(
            "out of descriptors (of {}) or of memory for sockets: new connections wait, and requests that "
            "need a new one to a backend get 503",
            descriptor_limit());
    else
        shared_.process_log.info("there are descriptors again");
}

void Worker::tell_refused_certificate(std::string_view peer, std::string_view why) {
    const auto silent = shared_.refused_certificates.note(mono_now());
    if (!silent) return;
    if (*silent == 0)
        shared_.process_log.warn("refused the TLS connection of {}: {}", peer, why);
    else
        shared_.process_log.warn(
            "refused the TLS connection of {}: {} (and {} more since the last such line)", peer, why,
            *silent);
}

Task<void> Worker::handle(http::Exchange& exchange) {
    const std::shared_ptr<Upstreams> upstreams = upstreams_;
    SlotLease lease(places_.free, places_.taken);
    HttpUpstream& upstream = lease->upstream.emplace(*upstreams);
    Request& request = lease->request.emplace(*this, exchange, upstream, lease->memory);
    co_await request.run();
}

}  // namespace spillway::gateway
