/// Counts by client and deployment, whichever way they are remembered.
#include "gateway/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint32_t kNobody = 0x3fffffff;

TEST(GatewayMetrics, CountsEachClientsDeploymentsApart) {
    telemetry::Registry registry(2);
    Metrics metrics(registry);
    const Metrics::Labels first{"ann", 0, "gpt-4o", 5};
    const Metrics::Labels second{"ann", 0, "o3", 6};
    const Metrics::Labels other{"ben", 70'000, "o3", 6};
    const Metrics::Labels nobody{{}, kNobody, "gpt-4o", 5};
    api::Usage usage;
    usage.prompt = 10;
    usage.completion = 3;
    for (int round = 0; round < 3; ++round) {
        for (const auto& who : {first, second, second, other, nobody}) {
            metrics.request(who, 200, Duration(1), false);
            metrics.tokens(who, usage);
        }
        metrics.request(first, 429, Duration(1), false);
    }
    const std::string text = registry.render();
    const auto requests = [](std::string_view client, std::string_view deployment, int status, int count) {
        return HasSubstr("spillway_requests_total{client=\"" + std::string(client) + "\",deployment=\"" +
                         std::string(deployment) + "\",status=\"" + std::to_string(status) + "\"} " +
                         std::to_string(count) + "\n");
    };
    EXPECT_THAT(text, requests("ann", "gpt-4o", 200, 3));
    EXPECT_THAT(text, requests("ann", "gpt-4o", 429, 3));
    EXPECT_THAT(text, requests("ann", "o3", 200, 6));
    EXPECT_THAT(text, requests("ben", "o3", 200, 3));
    EXPECT_THAT(text, requests("", "gpt-4o", 200, 3));
    EXPECT_THAT(text, HasSubstr(R"(spillway_tokens_total{client="ann",deployment="o3",kind="prompt"} 60)"));
    EXPECT_THAT(text,
                HasSubstr(R"(spillway_tokens_total{client="ben",deployment="o3",kind="completion"} 9)"));
    EXPECT_THAT(text, Not(HasSubstr(R"(client="ben",deployment="gpt-4o")")));
}

}  // namespace
}  // namespace spillway::gateway
