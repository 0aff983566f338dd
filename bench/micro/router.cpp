/// The router's part of a request: pick, began, ended, by the number of backends.
#include "routing/router.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace spillway::bench {
namespace {

using namespace std::chrono_literals;

std::vector<config::BackendConfig> backends(std::int64_t count) {
    std::vector<config::BackendConfig> out;
    for (std::int64_t i = 0; i < count; ++i) {
        config::BackendConfig b;
        b.name = "backend-" + std::to_string(i);
        b.weight = static_cast<std::uint32_t>(1 + i % 3);
        b.tpm = 1'000'000'000;
        b.rpm = 10'000'000;
        out.push_back(std::move(b));
    }
    return out;
}

/// One request after the other, 20 µs apart, each answered with what remains at its backend.
void requests(benchmark::State& state, bool affinity) {
    const auto configs = backends(state.range(0));
    routing::Router router(configs, {});
    Rng rng(1);
    Mono now{1000s};
    routing::Ask ask;
    ask.deployment = router.deployment("gpt-4o", Mono{});
    ask.tokens = 400;
    routing::Outcome outcome;
    outcome.status = 200;
    outcome.limits.limit_tokens = 1'000'000'000;
    outcome.limits.remaining_tokens = 900'000'000;
    outcome.tokens = 450;
    outcome.first_byte = 1ms;
    for (auto _ : state) {
        now += 20us;
        if (affinity) ask.affinity = 1 + rng.below(1'000'000);
        const routing::Choice choice = router.pick(ask, now, rng);
        benchmark::DoNotOptimize(router.began(choice.lease, outcome.limits, now));
        router.ended(choice.lease, outcome, now);
    }
}
void route(benchmark::State& state) {
    requests(state, false);
}
void route_with_affinity(benchmark::State& state) {
    requests(state, true);
}

BENCHMARK(route)->Arg(3)->Arg(30)->Arg(300)->Arg(3000);
BENCHMARK(route_with_affinity)->Arg(3)->Arg(30)->Arg(300)->Arg(3000);

}  // namespace
}  // namespace spillway::bench
