/// Compares routing policies on a virtual clock; bench/routing/run builds and runs it.
///
///     routing_bench [SEEDS [FIGURE.svg]]
///     routing_bench many [SEEDS]: thirty backends, by how many are looked at for each request
///     routing_bench trace …, routing_bench simulate …: see trace.hpp
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "base/strings.hpp"
#include "figure.hpp"
#include "simulation.hpp"
#include "trace.hpp"

using namespace spillway;
using namespace spillway::bench;
using namespace std::chrono_literals;

namespace {

struct Case {
    Mix mix;
    double load = 0.9;
    Duration max_wait{};
    Duration warm_up{};
    bool limits_told = true;
};

struct Row {
    std::string name;
    Tally sum;
    int seeds_refused = 0;  ///< seeds in which any client saw a 429
    double of_oracle = 0;
};

Tally once(const Named& policy, const Case& c, const std::vector<Job>& jobs, std::uint64_t seed) {
    Setup setup;
    setup.max_wait = c.max_wait;
    setup.warm_up = c.warm_up;
    setup.limits_told = c.limits_told;
    setup.seed = seed;
    return run(policy, jobs, setup);
}

std::vector<Row> compare(const Case& c, const std::vector<Named>& policies, std::uint64_t seeds) {
    std::vector<Row> rows{{"oracle (knows all counters)", {}, 0, 1}};
    for (const auto& p : policies) rows.push_back({p.name, {}, 0, 0});
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const auto jobs = make_jobs(c.mix, c.load * all_quotas, 10min + c.warm_up, seed);
        // Knowing all, one may still choose unwisely: the better of two ways each time.
        const Tally one = once(oracle(Oracle::soonest), c, jobs, seed);
        const Tally two = once(oracle(Oracle::even), c, jobs, seed);
        const Tally& best = one.goodput > two.goodput ? one : two;
        rows[0].sum += best;
        rows[0].seeds_refused += best.refused > 0 ? 1 : 0;
        for (std::size_t i = 0; i < policies.size(); ++i) {
            const Tally t = once(policies[i], c, jobs, seed);
            rows[i + 1].sum += t;
            rows[i + 1].seeds_refused += t.refused > 0 ? 1 : 0;
        }
    }
    for (auto& r : rows)
        r.of_oracle = static_cast<double>(r.sum.goodput) / static_cast<double>(rows[0].sum.goodput);
    return rows;
}

void print(const Case& c, const std::vector<Row>& rows, std::uint64_t seeds) {
    fmt::print("\n### {} mix, {:.0f} % of the quotas, a request may wait {:.0f} s{}{}\n\n", c.mix.name,
               c.load * 100, to_seconds(c.max_wait),
               c.warm_up > Duration(0) ? fmt::format(", counted after {:.0f} s", to_seconds(c.warm_up)) : "",
               c.limits_told ? "" : ", heads tell what remains but no limits");
    fmt::print(
        "| policy | 429s to clients per 1,000 | runs with any, of {} | 429s from backends per 1,000 | "
        "goodput, "
        "% of the oracle's |\n|---|---:|---:|---:|---:|\n",
        seeds);
    for (const auto& r : rows)
        fmt::print("| {} | {:.2f} | {} | {:.2f} | {:.2f} |\n", r.name, r.sum.refused_per_1000(),
                   r.seeds_refused, r.sum.wasted_per_1000(), r.of_oracle * 100);
    std::fflush(stdout);
}

/// Backends of one priority that are drawn, of thirty; 0: all are looked at.
void compare_draws(std::uint64_t seeds) {
    constexpr std::size_t backends = 30;
    fmt::print(
        "| load | looked at | 429s to clients per 1,000 | from backends per 1,000 | goodput, % |\n"
        "|---|---|---:|---:|---:|\n");
    for (const double load : {0.9, 1.5})
        for (const std::uint32_t draws : {0U, 1U, 2U, 4U, 8U}) {
            routing::Options options;
            options.draws = draws;
            if (draws == 0) options.look_at_all = backends;
            const Named policy = bench::spillway("", options, true);
            Tally sum;
            for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
                Setup setup;
                setup.backends = backends;
                setup.seed = seed;
                sum +=
                    run(policy, make_jobs(chat_mix(), load * all_quotas / 3 * backends, 10min, seed), setup);
            }
            fmt::print("| {:.0f} % | {} | {:.2f} | {:.2f} | {:.2f} |\n", load * 100,
                       draws == 0 ? "all" : fmt::format("{} drawn", draws), sum.refused_per_1000(),
                       sum.wasted_per_1000(),
                       100 * static_cast<double>(sum.goodput) / static_cast<double>(sum.offered));
            std::fflush(stdout);
        }
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> arguments(argv + 1, argv + argc);
    if (!arguments.empty() && (arguments[0] == "trace" || arguments[0] == "simulate"))
        return trace_command(arguments);
    if (!arguments.empty() && arguments[0] == "many") {
        compare_draws(argc > 2 ? parse_int<std::uint64_t>(argv[2]).value_or(20) : 20);
        return 0;
    }
    const std::uint64_t seeds = argc > 1 ? parse_int<std::uint64_t>(argv[1]).value_or(20) : 20;
    using routing::Strategy;
    const std::vector<Named> policies = {
        bench::spillway("spillway", {}, true),
        oracle(Oracle::learning),
        bench::spillway("spillway, quotas not configured", {}, false),
        bench::spillway("spillway, no trials", {Strategy::pace, true, false}, true),
        bench::spillway("two choices by headroom", {Strategy::two_choices}, true),
        bench::spillway("most headroom", {Strategy::most_headroom}, true),
        bench::spillway("soonest reset", {Strategy::soonest_reset}, true),
        bench::spillway("best fit", {Strategy::best_fit}, true),
        bench::spillway("weighted random", {Strategy::weighted_random}, true),
        bench::spillway("spillway without its mirror", {Strategy::pace, false, true}, false),
        apim_policy(),
        round_robin(),
        apim_pool()};

    Figure figure("429s from backends per 1,000 requests, by load");
    const std::vector<Named> shown = {policies[0], policies[9], apim_policy(), round_robin(), apim_pool()};
    const std::vector<Case> cases = {
        {chat_mix(), 0.9, 0s, 0s},   {chat_mix(), 0.9, 5s, 0s},        {chat_mix(), 0.9, 20s, 0s},
        {even_mix(), 0.9, 0s, 0s},   {even_mix(), 0.9, 5s, 0s},        {chat_mix(), 1.5, 0s, 0s},
        {chat_mix(), 1.5, 0s, 120s}, {chat_mix(), 1.5, 20s, 0s},       {even_mix(), 1.5, 0s, 0s},
        {even_mix(), 1.5, 0s, 120s}, {chat_mix(), 0.9, 0s, 0s, false}, {chat_mix(), 1.5, 0s, 120s, false}};
    for (const Case& c : cases) print(c, compare(c, policies, seeds), seeds);

    if (argc <= 2) return 0;
    for (const auto& policy : shown) {
        std::vector<Figure::Point> line;
        for (const double load : {0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5}) {
            const Case c{chat_mix(), load, 0s, 0s};
            Tally sum;
            for (std::uint64_t seed = 1; seed <= std::min<std::uint64_t>(seeds, 5); ++seed)
                sum += once(policy, c, make_jobs(c.mix, load * all_quotas, 10min, seed), seed);
            line.push_back({load * 100, sum.wasted_per_1000()});
        }
        figure.add(policy.name, std::move(line));
    }
    std::ofstream(argv[2]) << figure.svg("offered load, % of the quotas");
    fmt::print("\nwrote {}\n", argv[2]);
}
