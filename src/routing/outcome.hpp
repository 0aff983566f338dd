#pragma once
/// How an attempt ended.
/// Ownership: plain values. Thread rule: free functions, safe everywhere. Errors: none.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/rate_limit.hpp"
#include "base/clock.hpp"
#include "routing/verdict.hpp"

namespace spillway::routing {

/// In a word, for logs and metrics.
enum class OutcomeKind : std::uint8_t {
    served,         ///< answered to its end
    client_error,   ///< the request is at fault: says the backend is well
    throttled,      ///< out of quota
    unauthorized,   ///< the backend's credential
    server_error,   ///< the deployment failed, or does not exist there
    connect_error,  ///< no connection: resolve, connect, TLS
    timeout,        ///< accepted, but not answered in time
    broken,         ///< closed or malformed before the end
    cancelled,      ///< the client left, shutdown, or a limit of the gateway's: says nothing of the backend
};
[[nodiscard]] std::string_view to_string(OutcomeKind kind) noexcept;

[[nodiscard]] OutcomeKind kind_of(const Verdict& verdict) noexcept;
/// The usual verdict of such an end, where no more is known than the word.
[[nodiscard]] Verdict verdict_of(OutcomeKind kind) noexcept;

struct Outcome {
    OutcomeKind kind = OutcomeKind::served;
    std::optional<Verdict> verdict;       ///< of blame(); nothing: verdict_of(kind)
    unsigned status = 0;                  ///< 0: none was received
    std::optional<Duration> retry_after;  ///< api::retry_after() of the answer's head
    api::RateLimits limits;               ///< of the answer's head, if there was one
    std::optional<std::uint64_t> tokens;  ///< what the request really used, prompt and completion
    Duration first_byte{};                ///< send to first byte of the answer; zero: none came
    std::string detail;                   ///< what exactly failed, for the operator; no secret

    [[nodiscard]] Verdict judged() const noexcept { return verdict ? *verdict : verdict_of(kind); }
};

[[nodiscard]] inline Outcome outcome_of(const Verdict& verdict, unsigned status = 0) {
    Outcome outcome;
    outcome.kind = kind_of(verdict);
    outcome.verdict = verdict;
    outcome.status = status;
    return outcome;
}

}  // namespace spillway::routing
