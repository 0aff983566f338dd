/// Following a streamed answer: events are split off, and those that may matter classified.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "api/sse.hpp"
#include "api/stream_event.hpp"
#include "samples.hpp"

namespace spillway::bench {
namespace {

constexpr std::size_t events = 1000;

/// In reads of so many bytes, which end anywhere; `all`: classify each event, as before the commit.
void follow(benchmark::State& state, bool all) {
    const std::string text = chat_stream(events);
    const auto step = static_cast<std::size_t>(state.range(0));
    api::EventClassifier classifier;
    for (auto _ : state) {
        api::SseSplitter splitter;
        api::SseEvent event;
        for (std::size_t at = 0; at < text.size(); at += step) {
            splitter.feed(std::string_view(text).substr(at, step));
            while (splitter.next(event))
                if (all || api::EventClassifier::may_matter(event.event, event.data))
                    benchmark::DoNotOptimize(classifier.classify(event));
        }
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * events));
}
void scan_stream(benchmark::State& state) {
    follow(state, false);
}
void classify_stream(benchmark::State& state) {
    follow(state, true);
}

BENCHMARK(scan_stream)->Arg(300)->Arg(4096);
BENCHMARK(classify_stream)->Arg(4096);

}  // namespace
}  // namespace spillway::bench
