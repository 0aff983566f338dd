#pragma once
/// Learns what a backend charges for a request at admission.
///
/// Azure publishes what goes in (prompt by its characters, max_tokens, best_of), not the formula ("Manage
/// Azure OpenAI quota"). So the charge is taken as linear: characters of each kind of text × a factor, output
/// × a share, a constant where the request names no max_tokens, and what else is in the prompt × a share; the
/// factors come from measured charges by
/// recursive least squares (a Kalman filter of constant factors). Single far-off measurements, as from others
/// who use the same deployment, are not believed.
///
/// Thread rule: any thread. predict() reads atomics; learn() skips the sample if another thread is learning,
/// so nobody waits. Errors: none.
#include <array>
#include <atomic>
#include <cstdint>

namespace spillway::quota {

inline constexpr std::size_t text_kinds = 4;

class ChargeModel {
public:
    static constexpr std::size_t factors = text_kinds + 3;
    /// Per kind: characters (of one kind only); then max_tokens × n; then n if there is no max_tokens; then
    /// what tools, media and history are estimated at, in tokens.
    using Features = std::array<double, factors>;

    ChargeModel() noexcept;

    [[nodiscard]] double predict(const Features& x) const noexcept;
    void learn(const Features& x, double charged) noexcept;
    /// Mean absolute error of predictions as a share of the charge; 1 before the first measurement.
    [[nodiscard]] double error() const noexcept { return error_.load(std::memory_order_relaxed); }

private:
    std::array<std::atomic<double>, factors> w_;
    std::atomic<double> error_{1};
    std::atomic_flag busy_;
    // Guarded by busy_:
    std::array<std::array<double, factors>, factors> p_{};
    double spread_;  ///< mean square of the errors
    std::uint64_t samples_ = 0;
    std::uint32_t strange_ = 0;  ///< measurements in a row that were not believed
};

}  // namespace spillway::quota
