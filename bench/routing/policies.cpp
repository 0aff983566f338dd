#include <algorithm>

#include "policy.hpp"
#include "quota/estimator.hpp"

namespace spillway::bench {
namespace {

using namespace std::chrono_literals;

bool contains(std::span<const std::uint32_t> tried, std::uint32_t b) {
    return std::find(tried.begin(), tried.end(), b) != tried.end();
}

Duration whole_seconds(Duration d) {
    return std::chrono::ceil<std::chrono::seconds>(d);
}

class Spillway : public Policy {
public:
    Spillway(std::size_t backends, routing::Options options, bool configured, std::uint64_t seed)
        : router_(configs(backends, configured), {}, options),
          rng_(seed),
          name_(router_.deployment("gpt-4o", Mono{})) {}

    Picked pick(const Job& job, std::span<const std::uint32_t> tried, Mono now) override {
        Attempt a;
        a.shape.chars = job.cost.prompt_chars;
        a.shape.items = 2;
        if (job.cost.max_tokens != 0) a.shape.max_tokens = job.cost.max_tokens;
        const quota::Estimate estimate = estimator_.estimate(a.shape);
        routing::Ask ask;
        ask.deployment = name_;
        ask.tokens = estimate.charge;
        ask.tried = tried;
        const routing::Choice choice = router_.pick(ask, now, rng_);
        if (!choice.found()) return {std::nullopt, choice.retry_in};
        a.backend = choice.lease.backend;
        a.lease = choice.lease;
        return {a, {}};
    }
    void began(const Attempt& a, const api::RateLimits& limits, Mono now) override {
        if (const auto charged = router_.began(a.lease, limits, now)) estimator_.charged(a.shape, *charged);
    }
    void served(const Attempt& a, const Job& job, Mono now) override {
        routing::Outcome o;
        o.tokens = job.cost.prompt_tokens + job.output;
        router_.ended(a.lease, o, now);
        estimator_.used(a.shape, {job.cost.prompt_tokens, job.output, *o.tokens, 0, 0});
    }
    void throttled(const Attempt& a, const api::RateLimits& limits, Duration retry_after, Mono now) override {
        routing::Outcome o = routing::outcome_of(routing::verdict_of(routing::OutcomeKind::throttled), 429);
        o.retry_after = retry_after;
        o.limits = limits;
        router_.ended(a.lease, o, now);
    }
    void came() override { router_.request_came(); }

private:
    static std::vector<config::BackendConfig> configs(std::size_t count, bool configured) {
        std::vector<config::BackendConfig> out(count);
        for (std::size_t i = 0; i < count; ++i) {
            out[i].name = "b" + std::to_string(i);
            if (configured) {
                out[i].tpm = deployment().tpm;
                out[i].rpm = deployment().rpm;
            }
        }
        return out;
    }
    routing::Router router_;
    Rng rng_;
    routing::DeploymentRef name_;
    quota::Estimator estimator_;
};

/// Common to those that learn by being refused only.
class Reactive : public Policy {
public:
    explicit Reactive(std::size_t backends, std::uint64_t seed) : until_(backends, Mono{}), rng_(seed) {}
    void throttled(const Attempt& a, const api::RateLimits&, Duration retry_after, Mono now) override {
        until_[a.backend] = now + whole_seconds(retry_after);
    }

protected:
    [[nodiscard]] Duration soonest(Mono now) const {
        return std::max(*std::min_element(until_.begin(), until_.end()) - now, Duration(1ms));
    }
    std::vector<Mono> until_;
    Rng rng_;
};

class ApimPolicy : public Reactive {
public:
    using Reactive::Reactive;
    Picked pick(const Job&, std::span<const std::uint32_t> tried, Mono now) override {
        std::vector<std::uint32_t> open;
        for (std::uint32_t b = 0; b < until_.size(); ++b)
            if (until_[b] <= now) open.push_back(b);
        // All throttled: index 0 and its answer goes to the client; tried already, it ends there.
        if (open.empty()) {
            if (!tried.empty()) return {std::nullopt, soonest(now)};
            return {Attempt{0, {}, {}}, {}};
        }
        return {Attempt{open[rng_.below(open.size())], {}, {}}, {}};
    }
};

class RoundRobin : public Reactive {
public:
    using Reactive::Reactive;
    Picked pick(const Job&, std::span<const std::uint32_t> tried, Mono now) override {
        if (tried.size() >= until_.size()) return {std::nullopt, soonest(now)};
        return {Attempt{next_++ % static_cast<std::uint32_t>(until_.size()), {}, {}}, {}};
    }

private:
    std::uint32_t next_ = 0;
};

class ApimPool : public Reactive {
public:
    using Reactive::Reactive;
    Picked pick(const Job&, std::span<const std::uint32_t> tried, Mono now) override {
        if (tried.size() > until_.size()) return {std::nullopt, soonest(now)};
        for (std::size_t i = 0; i < until_.size(); ++i) {
            const std::uint32_t b = next_++ % static_cast<std::uint32_t>(until_.size());
            if (until_[b] <= now) return {Attempt{b, {}, {}}, {}};
        }
        return {std::nullopt, soonest(now)};
    }

private:
    std::uint32_t next_ = 0;
};

class OraclePolicy : public Policy {
public:
    OraclePolicy(Backends& real, Oracle how) : real_(real), how_(how) {
        for (auto& b : real) first_reset_.push_back(start + b.look(start).reset_tokens);
    }
    Picked pick(const Job& job, std::span<const std::uint32_t> tried, Mono now) override {
        std::optional<std::uint32_t> best;
        double best_merit = 0;
        Duration soonest = 60s;
        for (std::uint32_t b = 0; b < real_.size(); ++b) {
            if (contains(tried, b)) continue;
            const auto d = real_[b].look(now);
            const bool calls = d.remaining_requests > 0;
            const bool tokens = d.remaining_tokens >= static_cast<std::int64_t>(job.charge);
            if (!calls) soonest = std::min(soonest, d.reset_requests);
            if (!tokens) soonest = std::min(soonest, d.reset_tokens);
            if (!calls || !tokens) continue;
            const double good = merit(b, d, now);
            if (!best || good > best_merit) {
                best = b;
                best_merit = good;
            }
        }
        if (!best) return {std::nullopt, std::max(soonest, Duration(1ms))};
        return {Attempt{*best, {}, {}}, {}};
    }
    void throttled(const Attempt&, const api::RateLimits&, Duration, Mono) override {}

private:
    /// Share of the quota left less share of the time left, of the scarcer of the two quotas.
    static double pace(const emulator::QuotaDecision& d) {
        const auto of = [](std::int64_t remaining, std::int64_t limit, Duration left, Duration length) {
            return static_cast<double>(remaining) / static_cast<double>(limit) -
                   to_seconds(left) / to_seconds(length);
        };
        return std::min(of(d.remaining_tokens, d.limit_tokens, d.reset_tokens, 60s),
                        of(d.remaining_requests, d.limit_requests, d.reset_requests, 10s));
    }
    [[nodiscard]] double merit(std::uint32_t b, const emulator::QuotaDecision& d, Mono now) const {
        if (how_ == Oracle::even) return pace(d);
        // Whose end is not known ends before those that have just begun; among such, by what is left.
        if (how_ == Oracle::learning && now < first_reset_[b]) return static_cast<double>(d.remaining_tokens);
        return -to_seconds(d.reset_tokens);
    }

    Backends& real_;
    Oracle how_;
    std::vector<Mono> first_reset_;
};

template <class T>
Named reactive(std::string name) {
    return {std::move(name),
            [](Backends& real, std::uint64_t seed) { return std::make_unique<T>(real.size(), seed); }};
}

}  // namespace

Named spillway(std::string name, routing::Options options, bool configured) {
    return {std::move(name), [options, configured](Backends& real, std::uint64_t seed) {
                return std::make_unique<Spillway>(real.size(), options, configured, seed);
            }};
}
Named apim_policy() {
    return reactive<ApimPolicy>("openai-apim-lb");
}
Named round_robin() {
    return reactive<RoundRobin>("round robin, retry");
}
Named apim_pool() {
    return reactive<ApimPool>("APIM pool, breaker");
}
Named oracle(Oracle how) {
    return {how == Oracle::learning ? "oracle that learns the ends" : "oracle",
            [how](Backends& real, std::uint64_t) { return std::make_unique<OraclePolicy>(real, how); }};
}

}  // namespace spillway::bench
