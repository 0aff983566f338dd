#include "emulator/azure_quota.hpp"

#include <algorithm>
#include <cmath>

namespace spillway::emulator {
namespace {

constexpr double minute = 60.0;

/// The window's share of a rate by the minute, rounded down, at least one request.
std::uint64_t share(std::uint64_t per_minute, Duration window) {
    const double exact = static_cast<double>(per_minute) * to_seconds(window) / minute;
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(exact + 1e-9));
}

}  // namespace

void AzureQuota::Window::roll(Mono now) noexcept {
    if (now < begin + length) return;
    begin += length * ((now - begin) / length);
    used = 0;
}

AzureQuota::AzureQuota(const config::EmulatedDeployment& deployment, Mono start)
    : kind_(deployment.kind), estimate_(deployment.estimate), drained_at_(start) {
    tokens_ = {std::max(deployment.token_window, Duration(1)), start, deployment.tpm, 0};
    requests_ = {std::max(deployment.request_window, Duration(1)), start,
                 share(deployment.rpm, deployment.request_window), 0};
    rate_ = static_cast<double>(std::max<std::uint64_t>(deployment.ptu_tokens_per_minute, 1)) / minute;
    capacity_ = std::max(1.0, rate_ * to_seconds(tokens_.length));
}

std::uint64_t AzureQuota::estimate(const QuotaRequest& request) const noexcept {
    const std::uint64_t output =
        request.has_output ? (request.max_tokens > 0 ? request.max_tokens : estimate_.default_output_tokens)
                           : 0;
    if (kind_ == config::DeploymentKind::ptu)
        return request.prompt_tokens - std::min(request.cached_tokens, request.prompt_tokens) + output;
    const double prompt = std::ceil(static_cast<double>(request.prompt_chars) / estimate_.chars_per_token);
    return static_cast<std::uint64_t>(prompt) + output * std::max<std::uint64_t>(request.best_of, 1);
}

QuotaDecision AzureQuota::figures(Mono now) const noexcept {
    QuotaDecision d;
    if (kind_ == config::DeploymentKind::ptu) {
        d.utilization = level_ / capacity_;
        return d;
    }
    d.limit_tokens = static_cast<std::int64_t>(tokens_.limit);
    d.limit_requests = static_cast<std::int64_t>(requests_.limit);
    d.remaining_tokens = tokens_.remaining();
    d.remaining_requests = requests_.remaining();
    d.reset_tokens = tokens_.left(now);
    d.reset_requests = requests_.left(now);
    return d;
}

QuotaDecision AzureQuota::look(Mono now) {
    tokens_.roll(now);
    requests_.roll(now);
    drain(now);
    return figures(now);
}

QuotaDecision AzureQuota::admit(const QuotaRequest& request, Mono now) {
    if (kind_ == config::DeploymentKind::ptu) return admit_provisioned(request, now);
    tokens_.roll(now);
    requests_.roll(now);
    const std::uint64_t cost = estimate(request);
    Limit limit = Limit::none;
    if (requests_.used >= requests_.limit)
        limit = Limit::requests;
    else if (tokens_.used + cost > tokens_.limit)
        limit = Limit::tokens;
    if (limit == Limit::none) {
        tokens_.used += cost;
        ++requests_.used;
    }
    QuotaDecision d = figures(now);
    d.limit = limit;
    if (limit == Limit::none) d.charged = cost;
    if (limit == Limit::tokens) d.retry_after = d.reset_tokens;
    if (limit == Limit::requests) d.retry_after = d.reset_requests;
    return d;
}

void AzureQuota::drain(Mono now) noexcept {
    level_ = std::max(0.0, level_ - rate_ * to_seconds(now - drained_at_));
    drained_at_ = now;
}

QuotaDecision AzureQuota::admit_provisioned(const QuotaRequest& request, Mono now) {
    drain(now);
    if (level_ > capacity_) {
        QuotaDecision d = figures(now);
        d.limit = Limit::utilization;
        // A millisecond more than exact, so that whoever obeys is not refused by a rounding.
        d.retry_after = from_seconds((level_ - capacity_) / rate_) + std::chrono::milliseconds(1);
        return d;
    }
    const std::uint64_t cost = estimate(request);
    level_ += static_cast<double>(cost);
    QuotaDecision d = figures(now);
    d.charged = cost;
    return d;
}

void AzureQuota::finish(std::uint64_t charged, std::uint64_t actual, Mono now) {
    if (kind_ != config::DeploymentKind::ptu) return;
    drain(now);
    level_ = std::max(0.0, level_ + static_cast<double>(actual) - static_cast<double>(charged));
}

}  // namespace spillway::emulator
