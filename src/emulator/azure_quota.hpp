#pragma once
/// One deployment's quota, as at Azure OpenAI. Pure: `now` is passed in and must not go backwards.
///
/// Standard deployments (Azure, "Manage Azure OpenAI quota"): a request is charged at admission with an
/// estimate of the most it can cost: prompt characters ÷ chars_per_token + max_tokens × best_of. The sum is
/// set to zero every token_window and never corrected. Requests are counted in windows of request_window,
/// each with its share of the RPM, at least one. Windows are fixed; they begin at `start` + k × length.
///
/// Provisioned deployments (Azure, "Provisioned throughput units"): a leaky bucket that drains
/// at ptu_tokens_per_minute. 100 % is what drains in a token_window. Above 100 % requests are refused until
/// the bucket is below it again; otherwise one adds prompt − cached + max_tokens, which finish() corrects.
///
/// Units: tokens, requests. Thread rule: a value for one thread. Errors: none; a refusal is a Decision.
#include <cstdint>

#include "base/clock.hpp"
#include "config/emulator.hpp"

namespace spillway::emulator {

enum class Limit : std::uint8_t {
    none,
    tokens,       ///< "token rate limit"
    requests,     ///< "call rate limit"
    utilization,  ///< provisioned: more than 100 %
};

struct QuotaRequest {
    std::uint64_t prompt_chars = 0;
    std::uint64_t prompt_tokens = 0;
    std::uint64_t cached_tokens = 0;  ///< of prompt_tokens
    std::uint64_t max_tokens = 0;     ///< 0: the request has none
    std::uint64_t best_of = 1;
    bool has_output = true;  ///< false: embeddings
};

struct QuotaDecision {
    Limit limit = Limit::none;
    Duration retry_after{};            ///< refused: until it can be admitted
    std::uint64_t charged = 0;         ///< admitted: the charge, to be passed to finish()
    std::int64_t limit_tokens = -1;    ///< of one token_window; -1: provisioned, not known
    std::int64_t limit_requests = -1;  ///< of one request_window
    std::int64_t remaining_tokens = -1;
    std::int64_t remaining_requests = -1;
    Duration reset_tokens{};
    Duration reset_requests{};
    double utilization = 0;  ///< provisioned: 1 is 100 %; may be more

    [[nodiscard]] bool admitted() const noexcept { return limit == Limit::none; }
};

class AzureQuota {
public:
    AzureQuota(const config::EmulatedDeployment& deployment, Mono start);

    [[nodiscard]] QuotaDecision admit(const QuotaRequest& request, Mono now);
    /// The answer has ended (or was given up): `actual` = prompt − cached + generated tokens.
    void finish(std::uint64_t charged, std::uint64_t actual, Mono now);
    /// The figures for an answer's head, without an admission.
    [[nodiscard]] QuotaDecision look(Mono now);
    /// The charge for a request at admission.
    [[nodiscard]] std::uint64_t estimate(const QuotaRequest& request) const noexcept;

private:
    /// A counter that is reset at fixed times.
    struct Window {
        Duration length{};
        Mono begin{};
        std::uint64_t limit = 0;
        std::uint64_t used = 0;

        void roll(Mono now) noexcept;
        [[nodiscard]] Duration left(Mono now) const noexcept { return begin + length - now; }
        [[nodiscard]] std::int64_t remaining() const noexcept {
            return used >= limit ? 0 : static_cast<std::int64_t>(limit - used);
        }
    };

    void drain(Mono now) noexcept;
    [[nodiscard]] QuotaDecision admit_provisioned(const QuotaRequest& request, Mono now);
    [[nodiscard]] QuotaDecision figures(Mono now) const noexcept;

    config::DeploymentKind kind_;
    config::EstimateConfig estimate_;
    Window tokens_;
    Window requests_;
    double level_ = 0;     // tokens in the bucket
    double capacity_ = 0;  // tokens at 100 %
    double rate_ = 0;      // tokens drained in a second
    Mono drained_at_{};
};

}  // namespace spillway::emulator
