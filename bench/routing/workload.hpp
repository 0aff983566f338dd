#pragma once
/// Made-up chat requests: Poisson arrivals, log-normal prompts, mixed max_tokens, log-normal answers.
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "emulator/azure_quota.hpp"

namespace spillway::bench {

struct Job {
    Mono arrival{};
    emulator::QuotaRequest cost;  ///< what the backend looks at
    std::uint64_t output = 0;     ///< tokens it will generate
    std::uint64_t charge = 0;     ///< by the backends' formula
    bool streamed = true;         ///< the head comes with the first token, not with the last
};

struct Mix {
    const char* name = "";
    double median_chars = 800;              ///< of prompts
    double sigma = 1.0;                     ///< of the log-normal; 0: all the same
    std::vector<std::uint64_t> max_tokens;  ///< drawn evenly; 0: the request has none
    double streamed = 0.7;                  ///< share
};
/// The mix of the acceptance figures: chat.
[[nodiscard]] Mix chat_mix();
/// Many small requests of nearly one size, where chance matters least.
[[nodiscard]] Mix even_mix();

/// Jobs of `length`, offering `tokens_per_minute` in what the backends charge, on average.
[[nodiscard]] std::vector<Job> make_jobs(const Mix& mix, double tokens_per_minute, Duration length,
                                         std::uint64_t seed);

/// The deployments that all figures are about.
[[nodiscard]] config::EmulatedDeployment deployment();
inline constexpr double all_quotas = 3 * 30'000;  ///< tokens a minute
inline constexpr Mono start = Mono(std::chrono::hours(1));

}  // namespace spillway::bench
