// The gateway's verb alone: what bench/run --other compares, quick to build while tuning.
#include <cstdio>
#include <exception>

#include "app/verbs.hpp"

int main(int argc, char** argv) {
    try {
        CLI::App app{"spillway serve, and nothing else", "bench_serve"};
        app.require_subcommand(1);
        app.fallthrough();
        spillway::app::Run run;
        spillway::app::add_serve(app, run);
        CLI11_PARSE(app, argc, argv)
        return run ? run() : 2;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "bench_serve: %s\n", e.what());
        return 1;
    }
}
