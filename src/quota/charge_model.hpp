#pragma once
/// Learns what a backend charges for a request at admission.
///
/// Azure publishes the inputs (the prompt's characters, max_tokens, best_of) but not the formula ("Manage
/// Azure OpenAI quota"). So the charge is modelled as linear: a factor for the characters of each kind of
/// text, a share of max_tokens, a constant for requests without max_tokens, and a share of what else is in
/// the prompt. The factors are fitted to measured charges by recursive least squares (a Kalman filter of
/// constant factors). Isolated outliers, as when others use the same deployment, are ignored.
///
/// Thread rule: any thread. predict() reads atomics; learn() skips the sample if another thread is learning,
/// so none waits. Errors: none.
#include <array>
#include <atomic>
#include <cstdint>

namespace spillway::quota {

inline constexpr std::size_t text_kinds = 4;

class ChargeModel {
public:
    static constexpr std::size_t factors = text_kinds + 3;
    /// Characters by kind of text (only one is not 0); then max_tokens × n; then n if there is no max_tokens;
    /// then the estimate for tools, media and history, in tokens.
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
    std::uint32_t strange_ = 0;  ///< outliers in a row
};

}  // namespace spillway::quota
