#pragma once
/// The effects of one request's attempts on backends so far, so that they can be undone: a request that fails
/// the same way at two backends is itself suspect.
///
/// Ownership: kept by the request, passed to Router::ended(). Thread rule: one thread. Errors: none; only the
/// first `most` failures are kept.
#include <array>
#include <cstdint>
#include <span>

#include "routing/choice.hpp"
#include "routing/circuit_breaker.hpp"

namespace spillway::routing {

class AttemptHistory {
public:
    struct Failure {
        Lease lease;
        Verdict verdict;
        CircuitBreaker::Mark mark;
        bool counted = false;  ///< as a strike
    };

    [[nodiscard]] std::span<const Failure> failures() const noexcept { return {failures_.data(), count_}; }
    /// Whether it has failed in this way at another backend.
    [[nodiscard]] bool failed_alike(const Lease& lease, const Verdict& verdict) const noexcept {
        for (const Failure& f : failures())
            if (f.lease.backend != lease.backend && f.verdict == verdict) return true;
        return false;
    }
    void add(const Failure& failure) noexcept {
        if (count_ < most) failures_[count_++] = failure;
    }
    void set_suspect() noexcept { suspect_ = true; }
    [[nodiscard]] bool suspect() const noexcept { return suspect_; }
    void clear() noexcept {
        count_ = 0;
        suspect_ = false;
    }

private:
    static constexpr std::uint32_t most = 4;
    std::array<Failure, most> failures_;
    std::uint32_t count_ = 0;
    bool suspect_ = false;
};

}  // namespace spillway::routing
