/// Reading a chat request and estimating its tokens, by the length of its text.
#include <benchmark/benchmark.h>

#include "api/request_scan.hpp"
#include "quota/estimator.hpp"
#include "samples.hpp"

namespace spillway::bench {
namespace {

void count_bytes(benchmark::State& state, const std::string& body) {
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}

void scan_request(benchmark::State& state) {
    const auto bodies = chat_requests(static_cast<std::size_t>(state.range(0)));
    api::RequestScanner scanner;
    api::RequestScan scan;
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(scanner.scan(bodies[i++ % bodies.size()], scan));
        benchmark::DoNotOptimize(scan);
    }
    count_bytes(state, bodies[0]);
}

void estimate_tokens(benchmark::State& state) {
    const auto bodies = chat_requests(static_cast<std::size_t>(state.range(0)));
    api::RequestScanner scanner;
    std::vector<api::RequestScan> scans(bodies.size());
    for (std::size_t i = 0; i < bodies.size(); ++i)
        if (scanner.scan(bodies[i], scans[i]) != api::ScanError::none) state.SkipWithError("not JSON");
    const quota::Estimator estimator;
    std::size_t i = 0;
    for (auto _ : state) {
        const std::size_t at = i++ % bodies.size();
        benchmark::DoNotOptimize(estimator.estimate(quota::shape_of(scans[at], bodies[at], "")));
    }
    count_bytes(state, bodies[0]);
}

BENCHMARK(scan_request)->Arg(1'100)->Arg(100'000);
BENCHMARK(estimate_tokens)->Arg(1'100)->Arg(100'000);

}  // namespace
}  // namespace spillway::bench
