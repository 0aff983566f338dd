// Header values: nothing throws, and every wait lies between 0 and max_wait.
#include <array>

#include "api/rate_limit.hpp"
#include "check.hpp"

using namespace spillway;

namespace {

constexpr std::array<std::string_view, 10> names{
    "retry-after-ms",
    "Retry-After",
    "x-ratelimit-reset-requests",
    "x-rate-limit-reset-tokens",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "X-RateLimit-Remaining-Requests",
    "x-rate-limit-remaining-tokens",
    "azure-openai-deployment-utilization",
    "x-ratelimit-",
};

void expect_in_range(const std::optional<Duration>& wait) {
    SPILLWAY_EXPECT(!wait || (*wait >= Duration::zero() && *wait <= api::max_wait));
}
void expect_natural(const std::optional<std::int64_t>& count) {
    SPILLWAY_EXPECT(!count || *count >= 0);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text = fuzz::as_text(data, size);
    std::uint64_t seconds = 0;
    if (size >= 4)
        for (const std::uint8_t byte : {data[0], data[1], data[2], data[3]}) seconds = seconds * 256 + byte;
    const Wall now{std::chrono::seconds(seconds)};
    expect_in_range(api::parse_wait(text));
    (void)api::parse_http_date(text, now);
    (void)api::parse_http_date(text, Wall::min());
    (void)api::parse_http_date(text, Wall::max());

    http::Fields fields;  // a line each: which name, then the value
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.empty()) continue;
        fields.add(names[static_cast<unsigned char>(line[0]) % names.size()], line.substr(1));
    }
    expect_in_range(api::retry_after(fields, now));
    const api::RateLimits limits = api::read_rate_limits(fields);
    expect_in_range(limits.reset_requests);
    expect_in_range(limits.reset_tokens);
    expect_natural(limits.limit_requests);
    expect_natural(limits.limit_tokens);
    expect_natural(limits.remaining_requests);
    expect_natural(limits.remaining_tokens);
    SPILLWAY_EXPECT(!limits.ptu_utilization || *limits.ptu_utilization >= 0);
    return 0;
}
