/// Reading the heads of requests and answers, and writing the one for the backend.
#include <benchmark/benchmark.h>

#include "api/dialect.hpp"
#include "api/hop_by_hop.hpp"
#include "api/rate_limit.hpp"
#include "api/route.hpp"
#include "http/simple_head.hpp"
#include "identity/upstream_auth.hpp"
#include "samples.hpp"

namespace spillway::bench {
namespace {

template <class Head>
void read_heads(benchmark::State& state, const std::vector<std::string>& texts) {
    std::size_t i = 0;
    for (auto _ : state) {
        Head head;
        if (!http::read_simple_head(texts[i++ % texts.size()], head)) state.SkipWithError("not simple");
        benchmark::DoNotOptimize(head);
    }
}
void read_request_head(benchmark::State& state) {
    read_heads<http::RequestHead>(state, request_heads());
}
void read_answer_head(benchmark::State& state) {
    read_heads<http::ResponseHead>(state, answer_heads());
}

void read_rate_limits(benchmark::State& state) {
    const auto texts = answer_heads();
    std::vector<http::ResponseHead> heads(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i)
        if (!http::read_simple_head(texts[i], heads[i])) state.SkipWithError("not simple");
    std::size_t i = 0;
    for (auto _ : state) benchmark::DoNotOptimize(api::read_rate_limits(heads[i++ % heads.size()].fields));
}

/// As the gateway does it (gateway/attempt.cpp).
void rewrite_head(benchmark::State& state) {
    const auto texts = request_heads();
    std::vector<http::RequestHead> heads(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i)
        if (!http::read_simple_head(texts[i], heads[i])) state.SkipWithError("not simple");
    const auto credential = identity::make_static_key(identity::AuthScheme::api_key, "fedcba9876543210");
    if (!credential) return state.SkipWithError("no key");
    std::string out;
    std::size_t i = 0;
    for (auto _ : state) {
        const http::RequestHead& head = heads[i++ % heads.size()];
        const api::Route route = api::classify(head.target);
        out.assign(head.method).append(" ");
        api::azure_dialect().append_target(out, "", route, "gpt-4o-eu");
        out.append(" HTTP/1.1\r\n").append("Host: resource.openai.azure.com\r\n");
        if (!(*credential)->append_auth_header(out, Wall())) state.SkipWithError("no key");
        api::append_end_to_end(out, head.fields, [](std::string_view name) {
            return iequals(name, "host") || iequals(name, "content-length") ||
                   iequals(name, "accept-encoding") || iequals(name, "expect") ||
                   iequals(name, "x-request-id") || iequals(name, "api-key") ||
                   iequals(name, "authorization");
        });
        http::append_field(out, "content-length", "1300");
        out.append("\r\n");
        benchmark::DoNotOptimize(out.data());
    }
}

BENCHMARK(read_request_head);
BENCHMARK(rewrite_head);
BENCHMARK(read_answer_head);
BENCHMARK(read_rate_limits);

}  // namespace
}  // namespace spillway::bench
