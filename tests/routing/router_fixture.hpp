#pragma once
/// Backends, invented time and short ways to drive a Router.
#include <chrono>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "routing/failure_counter.hpp"
#include "routing/router.hpp"

namespace spillway::routing {

using namespace std::chrono_literals;

inline config::BackendConfig backend(std::string name, std::uint32_t priority = 1, std::uint32_t weight = 1) {
    config::BackendConfig b;
    b.name = std::move(name);
    b.priority = priority;
    b.weight = weight;
    return b;
}

struct Bench {
    explicit Bench(std::vector<config::BackendConfig> backends, config::RetryConfig retry = {})
        : configs(std::move(backends)), router(configs, retry) {}

    Choice pick(std::initializer_list<BackendIndex> tried = {}, std::string_view deployment = "gpt-4o") {
        const std::vector<BackendIndex> list(tried);
        Ask ask;
        ask.deployment = router.deployment(deployment, now);
        ask.fingerprint = ++fingerprint;
        ask.tokens = tokens;
        ask.tried = list;
        return router.pick(ask, now, rng);
    }
    void end(const Lease& lease, OutcomeKind kind, std::optional<Duration> retry_after = {}) {
        Outcome o = outcome_of(verdict_of(kind));
        o.retry_after = retry_after;
        router.ended(lease, o, now);
    }
    void serve(const Lease& lease) {
        router.began(lease, {}, now);
        end(lease, OutcomeKind::served);
    }
    /// As many different requests as close the deployment of the backend that they go to.
    BackendIndex strike_out(std::string_view deployment = "gpt-4o") {
        BackendIndex at = no_backend;
        for (std::uint32_t i = 0; i < FailureCounter::in_a_row; ++i)
            at = once(OutcomeKind::server_error, {}, deployment);
        return at;
    }
    /// One request that ends so; where it went.
    BackendIndex once(OutcomeKind kind, std::optional<Duration> retry_after = {},
                      std::string_view deployment = "gpt-4o") {
        const Choice c = pick({}, deployment);
        if (c.found()) end(c.lease, kind, retry_after);
        return c.lease.backend;
    }
    std::uint32_t in_flight() const {
        std::uint32_t sum = 0;
        for (const auto& v : router.view(now)) {
            sum += v.in_flight;
            for (const auto& d : v.deployments) sum += d.in_flight;
        }
        return sum;
    }

    std::vector<config::BackendConfig> configs;
    Router router;
    Mono now = Mono(1000s);
    Rng rng{7};
    std::uint64_t tokens = 100;
    std::uint64_t fingerprint = 0;  ///< of the last request: each is another
};

}  // namespace spillway::routing
