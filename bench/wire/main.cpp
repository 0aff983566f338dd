// bench_wire upstream | streams: the two ends of the benchmarks in bench/run.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>

#include "poll.hpp"

int main(int argc, char** argv) {
    using namespace spillway::wire;
    std::signal(SIGPIPE, SIG_IGN);
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
    CLI::App app("The two ends of the benchmarks.");
    app.require_subcommand(1);
    UpstreamPlan upstream;
    auto* const serve = app.add_subcommand("upstream", "answer every request with the same bytes");
    serve->add_option("--port", upstream.port)->required();
    serve->add_option("--answer-bytes", upstream.answer_bytes);
    serve->add_option("--addresses", upstream.addresses, "127.0.0.1 and those behind it");
    StreamsPlan plan;
    auto* const drive = app.add_subcommand("streams", "open many event streams");
    drive->add_option("--port", plan.port)->required();
    drive->add_option("--key", plan.key);
    drive->add_option("--streams", plan.streams);
    drive->add_option("--chunk-ms", plan.chunk_ms);
    drive->add_option("--connects-per-ms", plan.connects_per_ms);
    drive->add_option("--warm-ms", plan.warm_ms);
    drive->add_option("--run-ms", plan.run_ms);
    CLI11_PARSE(app, argc, argv)
    try {
        if (serve->parsed()) run_upstream(upstream);
        run_streams(plan);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "bench_wire: %s\n", e.what());
        return 1;
    }
    return 0;
}
