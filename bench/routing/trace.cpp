#include "trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/strings.hpp"
#include "simulation.hpp"

namespace spillway::bench {
namespace {

constexpr std::uint64_t runs = 20;

void print(const std::vector<Job>& jobs) {
    for (const Job& j : jobs)
        fmt::print(R"({{"at":{:.4f},"chars":{},"max_tokens":{},"output":{},"streamed":{},"charge":{}}})"
                   "\n",
                   to_seconds(j.arrival - start), j.cost.prompt_chars, j.cost.max_tokens, j.output,
                   j.streamed, j.charge);
}

void simulate(const std::vector<Job>& jobs, Setup setup) {
    Tally sum;
    std::uint64_t least = UINT64_MAX;
    std::uint64_t most = 0;
    const Named policy = spillway("spillway", {}, true);
    for (setup.seed = 1; setup.seed <= runs; ++setup.seed) {
        const Tally t = run(policy, jobs, setup);
        least = std::min(least, t.goodput);
        most = std::max(most, t.goodput);
        sum += t;
    }
    const auto mean = [](std::uint64_t total) { return static_cast<double>(total) / runs; };
    fmt::print(
        R"({{"requests":{},"offered":{},"served":{:.2f},"refused":{:.2f},"wasted":{:.2f},"goodput":{:.1f},)"
        R"("least_goodput":{},"most_goodput":{}}})"
        "\n",
        sum.requests / runs, sum.offered / runs, mean(sum.requests - sum.refused), mean(sum.refused),
        mean(sum.wasted), mean(sum.goodput), least, most);
}

}  // namespace

int trace_command(std::span<const std::string_view> arguments) {
    std::vector<double> numbers;
    for (const std::string_view a : arguments.subspan(1)) {
        const auto number = parse_double(a);
        if (!number) break;
        numbers.push_back(*number);
    }
    const bool simulates = arguments[0] == "simulate";
    if (numbers.size() != arguments.size() - 1 || numbers.size() != (simulates ? 6U : 3U)) {
        fmt::print(stderr,
                   "usage: routing_bench trace LOAD SECONDS SEED\n"
                   "       routing_bench simulate LOAD SECONDS SEED RESET RESET RESET\n");
        return 2;
    }
    const auto jobs = make_jobs(chat_mix(), numbers[0] * all_quotas, from_seconds(numbers[1]),
                                static_cast<std::uint64_t>(numbers[2]));
    if (!simulates) {
        print(jobs);
        return 0;
    }
    Setup setup;
    for (std::size_t i = 3; i < numbers.size(); ++i) setup.first_resets.push_back(from_seconds(numbers[i]));
    simulate(jobs, setup);
    return 0;
}

}  // namespace spillway::bench
