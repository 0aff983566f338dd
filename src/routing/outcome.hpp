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

/// A single word, for logs and metrics.
enum class OutcomeKind : std::uint8_t {
    served,         ///< answered completely
    client_error,   ///< the request is at fault; the backend is healthy
    throttled,      ///< out of quota
    unauthorized,   ///< the backend's credential
    server_error,   ///< the deployment failed, or does not exist
    connect_error,  ///< no connection: resolve, connect, TLS
    timeout,        ///< accepted, but not answered in time
    broken,         ///< closed or malformed before the end
    cancelled,      ///< the client left, shutdown, or a limit of the gateway: shows nothing about the backend
};
[[nodiscard]] std::string_view to_string(OutcomeKind kind) noexcept;

[[nodiscard]] OutcomeKind kind_of(const Verdict& verdict) noexcept;
/// The usual verdict for this kind of end, where nothing else is known.
[[nodiscard]] Verdict verdict_of(OutcomeKind kind) noexcept;

struct Outcome {
    OutcomeKind kind = OutcomeKind::served;
    std::optional<Verdict> verdict;       ///< from blame(); nullopt: verdict_of(kind)
    unsigned status = 0;                  ///< 0: none received
    std::optional<Duration> retry_after;  ///< api::retry_after() of the head
    api::RateLimits limits;               ///< from the answer's head, if any
    std::optional<std::uint64_t> tokens;  ///< what the request used, prompt and completion
    Duration first_byte{};                ///< from sending to the answer's first byte; zero: none
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
