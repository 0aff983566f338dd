/// A client's limits: admission and settlement, by the number of clients that take turns.
#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "quota/client_quota.hpp"

namespace spillway::bench {
namespace {

using namespace std::chrono_literals;

void admit_and_settle(benchmark::State& state) {
    quota::ClientQuotas quotas;
    quota::SubjectLimits limits;
    limits.tokens_per_minute = 100'000'000'000;
    limits.requests_per_minute = 1'000'000'000;
    limits.concurrency = 1000;
    std::vector<quota::Subject*> clients;
    for (std::int64_t i = 0; i < state.range(0); ++i)
        clients.push_back(
            &quotas.find_or_add(quota::SubjectKind::client, "client-" + std::to_string(i), limits));
    Rng rng(1);
    quota::Now now{Mono(1000s), Wall(1'750'000'000s)};
    quota::Refusal refusal;
    for (auto _ : state) {
        now.mono += 20us;
        now.wall += 20us;
        const quota::Subjects subjects{clients[rng.below(clients.size())]};
        auto grant = quotas.admit(subjects, {500, 100}, now, refusal);
        if (!grant) return state.SkipWithError("refused");
        benchmark::DoNotOptimize(quota::terms(subjects, now));
        grant->settle({450, 90}, now);
    }
}

BENCHMARK(admit_and_settle)->Arg(1)->Arg(100'000);

}  // namespace
}  // namespace spillway::bench
