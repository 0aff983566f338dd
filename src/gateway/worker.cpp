#include "gateway/worker.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "gateway/request.hpp"

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
        slot_->scratch.clear();
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

http::ServerLimits server_limits(const config::GatewayConfig& c, std::size_t workers) {
    http::ServerLimits limits;
    limits.max_head_bytes = c.limits.max_head_bytes;
    limits.max_body_bytes = c.limits.max_body_bytes;
    limits.head_timeout = c.limits.head_timeout;
    limits.body_timeout = c.limits.body_timeout;
    limits.keep_alive_timeout = c.limits.keep_alive_timeout;
    limits.write_timeout = c.limits.write_timeout;
    limits.max_connections = (c.limits.max_connections + workers - 1) / workers;
    return limits;
}
}  // namespace

Upstreams::Upstreams(asio::io_context& context, std::shared_ptr<const Snapshot> s,
                     telemetry::Registry& registry)
    : snapshot(std::move(s)), metrics(registry, snapshot->clients.size()) {
    origins.reserve(snapshot->config.backends.size());
    for (const auto& backend : snapshot->config.backends)
        origins.emplace_back(context, origin_options(backend));
}

void Upstreams::prefetch(routing::BackendIndex to) const noexcept {
    const auto& backend = snapshot->config.backends[to];
    prefetch_for_read(&backend, &backend + 1);
    const auto& host_line = snapshot->host_lines[to];
    prefetch_for_read(&host_line, &host_line + 1);
    origins[to].prefetch();
    metrics.prefetch_backend(to);
}

Worker::Worker(Shared shared, const std::shared_ptr<const Snapshot>& snapshot, std::uint64_t seed)
    : rng(seed),
      asker(rng()),
      books(shared.books),
      registry_(shared.registry),
      upstreams_(std::make_shared<Upstreams>(context_, snapshot, registry_)),
      server_(context_, server_limits(snapshot->config, std::max(1U, snapshot->config.threads)),
              [this](http::Exchange& exchange) { return handle(exchange); }),
      ticker_(context_) {
    if (shared.access_log != nullptr) {
        log.emplace(shared.access_log->make_writer());
        // While an answer is awaited, the log's writer would be in its way where both have one core.
        poller_.on_idle([this] {
            if (under_way_ == 0) log->idle();
        });
    }
    if (books.ledger) ledger.emplace(books.ledger->make_writer());
    asio::co_spawn(context_, tick(), asio::detached);
}

Worker::~Worker() {
    stop();
}

Result<void> Worker::listen(const http::Listen& where) {
    if (const auto& tls = upstreams_->snapshot->config.tls)
        if (auto ready = server_.use_tls(tls->cert_file, tls->key_file); !ready) return ready;
    return server_.listen(where);
}

void Worker::run() {
    thread_ = std::thread([this] { context_.run(); });
}

void Worker::use(std::shared_ptr<const Snapshot> snapshot) {
    asio::post(context_, [this, s = std::move(snapshot)]() mutable {
        upstreams_ = std::make_shared<Upstreams>(context_, std::move(s), registry_);
    });
}

void Worker::drain() {
    asio::post(context_, [this] { server_.drain(); });
}

void Worker::stop() {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] {
        server_.close();
        ticker_.cancel();
        // What is under way sees its sockets closed, ends, and is recorded a turn later; that stops the rest.
        asio::post(context_, [this] { asio::post(context_, [this] { context_.stop(); }); });
    });
    thread_.join();
    if (log) log->flush();
}

asio::awaitable<void> Worker::tick() {
    for (;;) {
        ticker_.expires_after(tick_length);
        const auto [ec] = co_await ticker_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (ec) co_return;
        if (log) log->flush();
        connections_.store(server_.connections());
    }
}

quota::Subject& Worker::user_account(const std::string& name, const quota::SubjectLimits& limits) {
    if (const auto found = users_.find(name); found != users_.end()) return *found->second;
    if (users_.size() >= kMaxUsersRemembered) users_.clear();
    quota::Subject& account = books.quotas.find_or_add(quota::SubjectKind::user, name, limits);
    users_.emplace(name, &account);
    return account;
}

asio::awaitable<void> Worker::handle(http::Exchange& exchange) {
    SlotLease lease(free_slots_, under_way_);
    Request& request = lease->request.emplace(*this, exchange, lease->scratch);
    co_await request.run();
}

}  // namespace spillway::gateway
