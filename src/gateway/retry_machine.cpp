#include "gateway/retry_machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/head_refusal.hpp"

namespace spillway::gateway {

RetryAction RetryMachine::nobody(Duration retry_in) noexcept {
    pause_ = retry_in;
    if (waited_ + retry_in > max_wait_) return RetryAction::give_up;
    waited_ += retry_in;
    tried_.clear();
    return RetryAction::wait;
}

RetryAction RetryMachine::failed(const routing::Verdict& verdict, routing::Router& router,
                                 std::uint64_t fingerprint, Mono now,
                                 const routing::AttemptHistory* history) noexcept {
    pause_ = std::chrono::seconds(1);
    const bool may = verdict.elsewhere || (on_timeout_ && verdict.reason == routing::Reason::timeout);
    if (may && tried_.size() < most_attempts_ && router.try_retry(fingerprint, now, history))
        return RetryAction::pick;
    return RetryAction::give_up;
}

namespace {

using routing::Reason;

constexpr std::string_view kServerError = "server_error";

bool all_alike(std::span<const Tried> tried) noexcept {
    return std::ranges::all_of(tried, [&](const Tried& t) {
        return t.verdict == tried.front().verdict && t.status == tried.front().status;
    });
}

/// Every reason met, by the attempts and by the circuit breakers that let none through.
std::uint32_t reasons_met(const Report& report, const routing::Choice& last) noexcept {
    std::uint32_t bits = last.reasons;
    for (const Tried& t : report.tried) bits |= 1U << static_cast<unsigned>(t.verdict.reason);
    return bits & ~(1U << static_cast<unsigned>(Reason::none));
}

constexpr std::uint32_t bit(Reason reason) noexcept {
    return 1U << static_cast<unsigned>(reason);
}

std::string words_of(std::uint32_t reasons) {
    constexpr std::array kWords{std::pair{Reason::no_connection, "no connection"},
                                std::pair{Reason::proxy, "the egress proxy"},
                                std::pair{Reason::server_error, "server errors"},
                                std::pair{Reason::broken, "broken answers"},
                                std::pair{Reason::timeout, "time-outs"},
                                std::pair{Reason::unauthorized, "credentials refused"},
                                std::pair{Reason::not_deployed, "no such deployment"},
                                std::pair{Reason::not_supported, "operation not supported"},
                                std::pair{Reason::not_found, "not found"},
                                std::pair{Reason::throttled, "out of quota"},
                                std::pair{Reason::no_quota, "out of quota"}};
    std::string out;
    for (const auto& [reason, word] : kWords) {
        if ((reasons & bit(reason)) == 0 || out.find(word) != std::string::npos) continue;
        if (!out.empty()) out += ", ";
        out += word;
    }
    return out;
}

Refusal out_of_quota(std::uint32_t reasons, Duration retry_in) {
    if (reasons == bit(Reason::no_quota))
        return {.status = 429,
                .message = "Every backend says that its quota is used up (insufficient_quota).",
                .type = "insufficient_quota",
                .code = "insufficient_quota",
                .retry_in = retry_in};
    return {.status = 429,
            .message = fmt::format("All backends are out of quota. Please retry after {} seconds.",
                                   retry_seconds(retry_in)),
            .type = "rate_limit_error",
            .code = "rate_limit_exceeded",
            .retry_in = retry_in};
}

}  // namespace

Refusal no_backend_left(const Report& report, const routing::Choice& last, const Asked& asked,
                        Duration retry_in) {
    const std::span<const Tried> tried(report.tried.data(), report.tried.size());
    const std::uint32_t reasons = reasons_met(report, last);
    if (last.cause == routing::Cause::too_large || (reasons & bit(Reason::too_large)) != 0)
        return {.status = 429,
                .message =
                    "The request asks for more tokens than the whole quota of any backend. Shorten the "
                    "prompt or lower max_tokens.",
                .type = "rate_limit_error",
                .code = "request_too_large",
                .final = true};
    if (!tried.empty() && tried.back().verdict.reason == Reason::timeout)
        return {.status = 504,
                .message = "The backend did not answer in time.",
                .type = kServerError,
                .code = "timeout",
                .final = true};
    constexpr std::uint32_t quota = bit(Reason::throttled) | bit(Reason::no_quota);
    if (report.failed_answer && !tried.empty() && all_alike(tried) &&
        tried.back().verdict.disclosure == routing::Disclosure::as_is && (reasons & quota) == 0) {
        const FailedAnswer& answer = *report.failed_answer;
        return {.status = answer.status < 400 ? 502 : answer.status,
                .message = {},
                .final = answer.no_retry,
                .body = answer.body,
                .content_type = answer.content_type};
    }
    if ((tried.empty() || all_alike(tried)) && last.cause == routing::Cause::out_of_rotation)
        return {.status = 503,
                .message = "All backends are drained: the operator has taken them out of rotation.",
                .type = kServerError,
                .code = "drained",
                .retry_in = std::chrono::seconds(10)};
    if (tried.empty() && last.cause == routing::Cause::not_served)
        return {.status = 404,
                .message = fmt::format("No backend serves the deployment or model '{}'.", asked.deployment),
                // As the API that was asked calls it.
                .code = asked.route.style == api::PathStyle::azure_deployment ? "DeploymentNotFound"
                                                                              : "model_not_found"};
    if (tried.empty() && last.cause == routing::Cause::busy) return busy_refusal(last.retry_in);
    const bool only_quota = reasons != 0 ? (reasons & ~quota) == 0 : last.cause == routing::Cause::quota;
    if (only_quota || (tried.empty() && last.cause == routing::Cause::quota))
        return out_of_quota(reasons, retry_in);
    std::string kinds = words_of(reasons);
    if (!kinds.empty()) kinds = " (" + kinds + ")";
    return {.status = 503,
            .message = fmt::format("No backend could serve the request{}. Please retry after {} seconds.",
                                   kinds, retry_seconds(retry_in)),
            .type = kServerError,
            .code = "no_backend",
            .retry_in = retry_in};
}

Ending ending_of(const Refusal& why) noexcept {
    if (why.code == "timeout") return Ending::timeout;
    if (why.code == "request_too_large") return Ending::refused;
    if (why.status == 429) return Ending::out_of_quota;
    return why.status >= 500 ? Ending::no_backend : Ending::client_error;
}

}  // namespace spillway::gateway
