#include "workload.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/rng.hpp"

namespace spillway::bench {
namespace {

double normal(Rng& rng) {
    const double u = 1 - rng.uniform();
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * rng.uniform());
}

Job make_job(const Mix& mix, const emulator::AzureQuota& quota, Rng& rng) {
    Job job;
    const double chars = std::clamp(mix.median_chars * std::exp(mix.sigma * normal(rng)), 20.0, 40'000.0);
    job.cost.prompt_chars = static_cast<std::uint64_t>(chars);
    // Real tokens per character vary around what the admission's formula takes.
    job.cost.prompt_tokens = static_cast<std::uint64_t>(chars * (0.21 + 0.04 * rng.uniform())) + 7;
    job.cost.max_tokens = mix.max_tokens[rng.below(mix.max_tokens.size())];
    const double length = 120 * std::exp(0.8 * normal(rng));
    const double most = job.cost.max_tokens == 0 ? 1024.0 : static_cast<double>(job.cost.max_tokens);
    job.output = static_cast<std::uint64_t>(std::clamp(length, 1.0, most));
    job.streamed = rng.uniform() < mix.streamed;
    job.charge = quota.estimate(job.cost);
    return job;
}

}  // namespace

Mix chat_mix() {
    return {"chat", 800, 1.0, {0, 0, 128, 256, 256, 512}, 0.7};
}
Mix even_mix() {
    return {"even", 600, 0.2, {64}, 0.7};
}

config::EmulatedDeployment deployment() {
    config::EmulatedDeployment d;
    d.name = "gpt-4o";
    return d;  // 30,000 TPM, 180 RPM, windows of 60 s and 10 s: the defaults
}

std::vector<Job> make_jobs(const Mix& mix, double tokens_per_minute, Duration length, std::uint64_t seed) {
    const emulator::AzureQuota quota(deployment(), start);
    Rng sizes(9);
    double sum = 0;
    constexpr int drawn = 20'000;
    for (int i = 0; i < drawn; ++i) sum += static_cast<double>(make_job(mix, quota, sizes).charge);
    const double per_second = tokens_per_minute / 60 / (sum / drawn);

    Rng rng(seed * 7919 + 13);
    std::vector<Job> jobs;
    for (double at = 0;;) {
        at += -std::log(1 - rng.uniform()) / per_second;
        if (from_seconds(at) >= length) return jobs;
        jobs.push_back(make_job(mix, quota, rng));
        jobs.back().arrival = start + from_seconds(at);
    }
}

}  // namespace spillway::bench
