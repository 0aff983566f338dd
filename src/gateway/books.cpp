#include "gateway/books.hpp"

#include <fmt/format.h>

#include <cmath>

#include "gateway/snapshot.hpp"
#include "quota/client_price.hpp"
#include "store/named_store.hpp"
#include "store/sqlite_schema.hpp"
#include "telemetry/ledger_query.hpp"

namespace spillway::gateway {
namespace {

std::int64_t money(double amount) {
    return static_cast<std::int64_t>(std::llround(amount / quota::kMoneyUnit));
}
std::int64_t count(std::uint64_t n) {
    return static_cast<std::int64_t>(n);
}

}  // namespace

quota::SubjectLimits to_limits(const config::QuotaConfig& c, config::PriorityClass priority) {
    quota::SubjectLimits out;
    out.tokens_per_minute = count(c.tokens_per_minute);
    out.requests_per_minute = count(c.requests_per_minute);
    out.concurrency = count(c.concurrency);
    out.tokens = {count(c.tokens.hour), count(c.tokens.day), count(c.tokens.week), count(c.tokens.month)};
    out.budget = {money(c.budget.hour), money(c.budget.day), money(c.budget.week), money(c.budget.month)};
    out.shadow = c.shadow;
    out.priority = priority == config::PriorityClass::low    ? quota::Priority::low
                   : priority == config::PriorityClass::high ? quota::Priority::high
                                                             : quota::Priority::normal;
    return out;
}

Result<void> Books::open(const config::GatewayConfig& config) {
    if (config.ledger.empty()) return {};
    auto opened = telemetry::Ledger::open(config.ledger, {.keep = config.ledger_keep});
    if (!opened) return fail(fmt::format("ledger {}: {}", config.ledger, opened.error().message));
    ledger = std::move(*opened);
    return restore(config);
}

Result<void> Books::restore(const config::GatewayConfig& config) {
    const quota::Now now = quota::read_clocks();
    const bool users = config.users.limits.tokens != config::PerPeriod<std::uint64_t>{} ||
                       config.users.limits.budget != config::PerPeriod<double>{};
    const auto restore_kind = [&](quota::Period period, quota::SubjectKind kind) -> Result<void> {
        telemetry::UsageQuery query;
        query.from = quota::period_begin(period, quota::period_index(period, now.wall));
        query.to = now.wall + std::chrono::hours(1);
        query.by.client = kind == quota::SubjectKind::client;
        query.by.user = kind == quota::SubjectKind::user;
        // Whom a body names is a user of its client only.
        query.by.client = query.by.client || (query.by.user && config.users.field);
        query.by.team = kind == quota::SubjectKind::team;
        query.by.key = kind == quota::SubjectKind::key;
        query.limit = quota::ClientQuotas::kMaxUsers;
        const auto totals = telemetry::query_usage(config.ledger, query);
        if (!totals) return totals.error();
        for (const auto& total : *totals) {
            const quota::Amounts used{count(total.charged_tokens), count(total.cost)};
            if (kind == quota::SubjectKind::user) {
                if (total.user.empty()) continue;
                const auto user = quotas.user(config.users.field ? std::string_view(total.client) : "",
                                              total.user, to_limits(config.users.limits), now);
                if (user != nullptr) user->restore(period, used, now);
                continue;
            }
            if (kind == quota::SubjectKind::key) {
                // Its limits come with its first request.
                if (!total.key.empty()) quotas.key(total.key)->restore(period, used, now);
                continue;
            }
            const std::string& name = kind == quota::SubjectKind::client ? total.client : total.team;
            if (quota::Subject* const subject = quotas.find(kind, name)) subject->restore(period, used, now);
        }
        return {};
    };
    for (const quota::Period period : quota::kPeriods) {
        if (auto done = restore_kind(period, quota::SubjectKind::client); !done) return done;
        if (auto done = restore_kind(period, quota::SubjectKind::team); !done) return done;
        if (auto done = restore_kind(period, quota::SubjectKind::key); !done) return done;
        if (!users) continue;
        if (auto done = restore_kind(period, quota::SubjectKind::user); !done) return done;
    }
    return {};
}

Result<void> Books::keep_objects(const config::GatewayConfig& config,
                                 std::shared_ptr<telemetry::Logger> log) {
    using Absent = store::ObjectDirectory::Absent;
    if (!config.store.enabled()) return {};
    const bool shared = config.store.shared();
    if (!shared && keeps_apart(config))
        if (const auto can = store::can_write_store(config.store.path); !can)
            log->warn(
                "the store {} cannot be written, whose things are whose is forgotten at a restart: {}; see "
                "store.path",
                config.store.path, can.error().message);
    // Keys and owners may be in a file that cannot be read; a server comes back.
    auto done = objects.persist(store::objects_of(config.store), shared ? Absent::tried_again : Absent::error,
                                [log = std::move(log)](const std::string& line) { log->warn("{}", line); });
    if (!done) return fail(fmt::format("store {}: {}", store::name_of(config.store), done.error().message));
    return {};
}

Result<void> Books::share(const config::RedisConfig& redis, std::shared_ptr<telemetry::Logger> log,
                          std::string_view predecessor) {
    if (!redis.enabled()) return {};
    replica = ledger                ? ledger->id()
              : predecessor.empty() ? quota::new_replica_id()
                                    : std::string(predecessor);
    try {
        store = std::make_unique<quota::RedisStore>(
            redis, replica, quotas,
            [log = std::move(log)](const std::string& line) { log->warn("{}", line); });
    } catch (const std::exception& e) {
        return fail(fmt::format("redis: {}", e.what()));
    }
    store->start();
    return {};
}

void Books::share(const std::shared_ptr<const Snapshot>& snapshot) {
    if (!store) return;
    quota::Peers peers;
    peers.report = [snapshot](Mono now) { return snapshot->router->report(now); };
    peers.merge = [snapshot](const quota::PeerReport& observed, Mono now) {
        snapshot->router->merge(observed, now);
    };
    store->use(std::move(peers));
}

std::vector<telemetry::Registry::Registration> Books::metrics(telemetry::Registry& registry) {
    using telemetry::Emitter;
    using telemetry::MetricType;
    std::vector<telemetry::Registry::Registration> out;
    const auto per_subject = [&](MetricType type, std::string_view name, std::string_view help, auto value) {
        out.push_back(registry.callback(type, name, help, [this, value](Emitter& emit) {
            quotas.each([&](quota::Subject& subject) {
                // Users and keys are too many to be labels.
                if (subject.kind() == quota::SubjectKind::user || subject.kind() == quota::SubjectKind::key)
                    return;
                emit({{"kind", quota::to_string(subject.kind())}, {"name", subject.name()}},
                     static_cast<double>(value(subject)));
            });
        }));
    };
    per_subject(MetricType::counter, "spillway_quota_refusals_total",
                "Requests refused by a client's or team's limits",
                [](quota::Subject& s) { return s.refusals(); });
    per_subject(MetricType::counter, "spillway_quota_shadow_refusals_total",
                "Requests that limits in shadow mode would have refused",
                [](quota::Subject& s) { return s.shadow_refusals(); });
    per_subject(MetricType::gauge, "spillway_quota_tokens_used", "Weighted tokens of the last 60 seconds",
                [](quota::Subject& s) { return s.tokens().used_here(quota::read_clocks()); });
    per_subject(MetricType::counter, "spillway_cost_total", "Cost of answers, in the currency of the prices",
                [](quota::Subject& s) { return static_cast<double>(s.spent()) * quota::kMoneyUnit; });
    const auto single = [&](MetricType type, std::string_view name, std::string_view help, auto value) {
        out.push_back(registry.callback(type, name, help,
                                        [value](Emitter& emit) { emit(static_cast<double>(value())); }));
    };
    if (ledger) {
        single(MetricType::counter, "spillway_ledger_rows_total", "Rows committed to the ledger",
               [this] { return ledger->stats().committed_rows; });
        single(MetricType::counter, "spillway_ledger_dropped_rows_total",
               "Rows lost because the disk was full or too slow",
               [this] { return ledger->stats().dropped_rows; });
        single(MetricType::counter, "spillway_ledger_failed_commits_total",
               "Commits that have to be tried again", [this] { return ledger->stats().failed_commits; });
    }
    if (objects.persistent()) {
        single(MetricType::counter, "spillway_store_written_total",
               "Changes of whose things are whose, written to the store",
               [this] { return objects.stats().written; });
        single(MetricType::counter, "spillway_store_dropped_total",
               "Changes lost because the store could not be written",
               [this] { return objects.stats().dropped; });
        single(MetricType::counter, "spillway_store_failures_total", "Failures to read or write the store",
               [this] { return objects.stats().failures; });
    }
    if (store) {
        single(MetricType::gauge, "spillway_redis_connected",
               "Whether limits are shared (1), or held alone at limit / replicas (0)",
               [this] { return store->stats().connected ? 1 : 0; });
        single(MetricType::gauge, "spillway_redis_replicas", "Replicas that share the limits, as last known",
               [this] { return store->stats().replicas; });
        single(MetricType::counter, "spillway_redis_failures_total", "Rounds of reports that failed",
               [this] { return store->stats().failures; });
    }
    return out;
}

}  // namespace spillway::gateway
