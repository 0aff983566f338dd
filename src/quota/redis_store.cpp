#include "quota/redis_store.hpp"

#include <fmt/format.h>

#include <array>
#include <future>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "base/block_signals.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "quota/redis_link.hpp"
#include "quota/redis_peers.hpp"
#include "quota/redis_sentinels.hpp"

namespace spillway::quota {
namespace {

using std::chrono::milliseconds;

/// A field of the hash is a replica: "used lease seen expires short". What a replica used counts until it
/// expires, its lease as long as it reports. Runs whole or not at all, as every script of Redis.
constexpr std::string_view kScript = R"lua(
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local me, used, want = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local limit, life, lease_life = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local others, leases, replicas, contended = 0, 0, 1, 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if all[i] ~= me then
    local u, l, seen, expires, short = string.match(all[i + 1], '^(%d+) (%d+) (%d+) (%d+) (%d)$')
    if not u or now >= tonumber(expires) then
      redis.call('HDEL', KEYS[1], all[i])
    else
      others = others + tonumber(u)
      if now - tonumber(seen) < lease_life then
        replicas = replicas + 1
        leases = leases + tonumber(l)
        if short == '1' then contended = 1 end
      end
    end
  end
end
local free = limit - used - others - leases
local granted = math.max(0, math.min(want, free))
local short = 0
if want > free then short, contended = 1, 1 end
redis.call('HSET', KEYS[1], me, string.format('%.0f %.0f %.0f %.0f %d', used, granted, now, now + life, short))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', life + 1000))
return {granted, others, replicas, contended}
)lua";

constexpr Duration kRest = milliseconds(500);  ///< between reports of what does not change
constexpr auto kLeaseLife = milliseconds(3000);
constexpr std::size_t kBatch = 256;  ///< script calls in one exchange

/// Counts replicas, by means of a limit that is never used.
class Heartbeat final : public Shareable {
public:
    ShareReport report(Now /*now*/) noexcept override {
        ShareReport r;
        r.limit = 1;
        r.usage_life = kLeaseLife;
        return r;
    }
    void apply(const ShareReport& /*reported*/, const ShareAnswer& answer, Now /*now*/) noexcept override {
        replicas = answer.replicas;
    }
    void cut_off(std::uint32_t /*replicas*/) noexcept override {}
    std::uint32_t replicas = 1;
};

}  // namespace

std::string new_replica_id() {
    std::random_device random;
    return fmt::format("{:08x}{:08x}", random(), random());
}

class RedisStore::Impl {
public:
    Impl(config::RedisConfig config, std::string replica, ClientQuotas& quotas,
         std::function<void(const std::string&)> log)
        : config_(std::move(config)),
          replica_(std::move(replica)),
          quotas_(quotas),
          log_(std::move(log)),
          server_(config_),
          sentinels_(loop_, config_),
          link_(loop_, server_),
          timer_(loop_) {
        replicas_.store(config_.replicas);
        quotas_.on_new([this](Subject& subject) {
            subject.each_limit([&](std::string_view, Shareable& limit) { limit.cut_off(replicas_.load()); });
        });
        cut_off();
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        quotas_.on_new({});
        stop();
    }

    void stop() {
        loop_.post([this] {
            stop_ = true;
            timer_.cancel();
            sentinels_.abort();
            link_.abort();
        });
        if (thread_.joinable()) thread_.join();
    }

    void hand_over() {
        stop();
        connected_.store(false);
        cut_off();
    }

    void start() {
        auto first = first_round_.get_future();
        loop_.spawn(run());
        thread_ = std::thread([this] {
            block_signals();
            loop_.run();
        });
        first.wait_for(2 * config_.timeout);
    }

    void use(Peers peers) {
        loop_.post([this, peers = std::move(peers)]() mutable {
            ++peers_generation_;
            peers_.emplace(config_.prefix, new_replica_id(), std::move(peers));
        });
    }

    [[nodiscard]] Stats stats() const noexcept {
        return {connected_.load(), replicas_.load(), rounds_.load(), failures_.load()};
    }

private:
    struct Entry {
        std::string key;
        SubjectRef subject;  ///< holds the limit; none: the heartbeat
        Shareable* limit;
        ShareReport last;
        Mono reported_at{};
    };

    Task<void> run() {
        bool has_reported = false;
        Duration pause = config_.interval;
        while (!stop_) {
            const auto done = co_await round();
            if (stop_) break;
            if (done) {
                if (!connected_.exchange(true)) log_("redis: connected; limits are shared");
                rounds_.fetch_add(1);
                pause = config_.interval;
            } else {
                failures_.fetch_add(1);
                if (connected_.exchange(false) || !has_reported)
                    log_(fmt::format("redis: {}; limits are held at 1/{} until it is back",
                                     done.error().message, replicas_.load()));
                cut_off();
                pause = std::min<Duration>(2 * pause, std::chrono::seconds(1));
            }
            if (!std::exchange(has_reported, true)) first_round_.set_value();
            (void)co_await timer_.sleep_for(pause);
        }
    }

    void cut_off() {
        quotas_.each([this](Subject& subject) {
            subject.each_limit([&](std::string_view, Shareable& limit) { limit.cut_off(replicas_.load()); });
        });
    }

    /// The list of limits, rebuilt when subjects or limits change.
    void gather() {
        const std::uint64_t generation = quotas_.generation();
        if (generation == generation_) return;
        generation_ = generation;
        entries_.clear();
        entries_.push_back({config_.prefix + ":{replicas}", {}, &heartbeat_, {}, {}});
        quotas_.each([this](Subject& subject) {
            subject.each_limit([&](std::string_view name, Shareable& limit) {
                entries_.push_back({fmt::format("{}:{{{}:{}}}:{}", config_.prefix, to_string(subject.kind()),
                                                subject.key(), name),
                                    &subject,
                                    &limit,
                                    {},
                                    {}});
            });
        });
    }

    Task<Result<void>> load() {
        if (!config_.sentinels.empty()) {
            const auto primary = co_await sentinels_.find_primary();
            if (!primary) co_return primary.error();
            server_.host = primary->host;
            server_.port = primary->port;
        }
        const auto opened = co_await link_.open();
        if (!opened) co_return opened;
        for (const std::string_view script : {kScript, RedisPeers::script}) {
            const std::array<std::string_view, 3> words{"SCRIPT", "LOAD", script};
            link_.add(words);
        }
        const auto replies = co_await link_.exchange();
        if (!replies) co_return replies.error();
        for (const RedisReply& reply : *replies)
            if (reply->type != REDIS_REPLY_STRING) co_return fail("does not take the script");
        digest_.assign((*replies)[0]->str, (*replies)[0]->len);
        peers_digest_.assign((*replies)[1]->str, (*replies)[1]->len);
        for (Entry& entry : entries_) entry.reported_at = Mono{};
        if (peers_) peers_->forget();
        co_return Result<void>();
    }

    Task<Result<void>> round() {
        gather();
        if (!link_.is_open()) {
            const auto loaded = co_await load();
            if (!loaded) co_return loaded;
        }
        std::vector<Entry*> asked;
        for (Entry& entry : entries_) {
            const Now now = read_clocks();
            const ShareReport report = entry.limit->report(now);
            if (report.limit == 0) continue;
            const bool same = report.used == entry.last.used && report.lease == entry.last.lease &&
                              report.want == entry.last.want && report.limit == entry.last.limit &&
                              report.epoch == entry.last.epoch;
            if (same && entry.reported_at != Mono{} && now.mono - entry.reported_at < kRest) continue;
            entry.last = report;
            entry.reported_at = now.mono;
            add(entry);
            asked.push_back(&entry);
            if (asked.size() < kBatch) continue;
            const auto done = co_await apply_answers(asked);
            if (!done) co_return done;
        }
        const auto done = co_await apply_answers(asked);
        if (!done) co_return done;
        replicas_.store(heartbeat_.replicas);
        const auto reported = co_await report_to_peers();
        co_return reported;
    }

    Task<Result<void>> report_to_peers() {
        if (!peers_ || peers_->add_reports(link_, peers_digest_, mono_now()) == 0) co_return Result<void>();
        // use() may run while this waits; the object that reported is the one that hears.
        const std::uint64_t asked = peers_generation_;
        const auto replies = co_await link_.exchange();
        if (!replies) co_return replies.error();
        if (asked != peers_generation_) co_return Result<void>();
        const Mono now = mono_now();
        for (std::size_t i = 0; i < replies->size(); ++i) {
            const bool merged = peers_->merge_reply(i, *(*replies)[i], now);
            if (merged) continue;
            link_.close();
            co_return fail(why((*(*replies)[i])));
        }
        co_return Result<void>();
    }

    /// NOSCRIPT after a restart of the server, or a server that refuses to write.
    static std::string why(const redisReply& reply) {
        return reply.type == REDIS_REPLY_ERROR ? std::string(reply.str, reply.len)
                                               : "answers otherwise than expected";
    }

    void add(const Entry& entry) {
        const ShareReport& r = entry.last;
        const std::string key = r.epoch == 0 ? entry.key : fmt::format("{}:{}", entry.key, r.epoch);
        const std::string used = std::to_string(std::max<std::int64_t>(0, r.used));
        const std::string want = std::to_string(r.want);
        const std::string limit = std::to_string(r.limit);
        const std::string life = std::to_string(std::chrono::ceil<milliseconds>(r.usage_life).count());
        const std::string lease_life = std::to_string(kLeaseLife.count());
        const std::array<std::string_view, 10> words{"EVALSHA", digest_, "1",   key,  replica_,
                                                     used,      want,    limit, life, lease_life};
        link_.add(words);
    }

    Task<Result<void>> apply_answers(std::vector<Entry*>& asked) {
        if (asked.empty()) co_return Result<void>();
        const auto replies = co_await link_.exchange();
        if (!replies) co_return replies.error();
        const Now now = read_clocks();
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const redisReply& reply = *(*replies)[i];
            if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 4) {
                std::string what = why(reply);
                link_.close();
                co_return fail(std::move(what));
            }
            ShareAnswer answer;
            // Within what they can mean, whatever calls itself Redis.
            answer.granted = std::clamp<std::int64_t>(reply.element[0]->integer, 0, PeriodUsage::kMost);
            answer.others = std::clamp<std::int64_t>(reply.element[1]->integer, 0, PeriodUsage::kMost);
            answer.replicas = static_cast<std::uint32_t>(reply.element[2]->integer);
            answer.contended = reply.element[3]->integer != 0;
            asked[i]->limit->apply(asked[i]->last, answer, now);
            asked[i]->last.lease =
                answer.granted;  // what the store has now: not reported again while unchanged
        }
        asked.clear();
        co_return Result<void>();
    }

    const config::RedisConfig config_;
    const std::string replica_;
    ClientQuotas& quotas_;
    std::function<void(const std::string&)> log_;
    Loop loop_;
    config::RedisConfig server_;  ///< where the primary is
    RedisSentinels sentinels_;
    RedisLink link_;
    Timer timer_;
    std::string digest_;
    std::vector<Entry> entries_;
    std::uint64_t generation_ = ~std::uint64_t{0};
    Heartbeat heartbeat_;
    std::optional<RedisPeers> peers_;
    std::string peers_digest_;
    std::uint64_t peers_generation_ = 0;
    bool stop_ = false;
    std::promise<void> first_round_;
    std::atomic<bool> connected_{false};
    std::atomic<std::uint32_t> replicas_{1};
    std::atomic<std::uint64_t> rounds_{0};
    std::atomic<std::uint64_t> failures_{0};
    std::thread thread_;
};

RedisStore::RedisStore(config::RedisConfig config, std::string replica, ClientQuotas& quotas,
                       std::function<void(const std::string&)> log)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(replica), quotas, std::move(log))) {}
RedisStore::~RedisStore() = default;
void RedisStore::start() {
    impl_->start();
}
void RedisStore::use(Peers peers) {
    impl_->use(std::move(peers));
}
void RedisStore::hand_over() {
    impl_->hand_over();
}
RedisStore::Stats RedisStore::stats() const noexcept {
    return impl_->stats();
}

}  // namespace spillway::quota
