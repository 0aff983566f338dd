#include "quota/charge_model.hpp"

#include <algorithm>
#include <cmath>

namespace spillway::quota {
namespace {

/// First guesses: four characters to a token (the common rule of thumb), all of max_tokens, 16 without it
/// (the default of the completions API).
constexpr ChargeModel::Features guess{0.25, 0.25, 0.25, 0.25, 1.0, 16.0, 1.0};
/// How wrong they may be, squared.
constexpr ChargeModel::Features doubt{0.3 * 0.3, 0.5 * 0.5,     0.5 * 0.5, 0.7 * 0.7,
                                      0.5 * 0.5, 500.0 * 500.0, 0.3 * 0.3};
/// How much a factor may change by the next request, squared: backends do change their formula.
constexpr ChargeModel::Features drift{1e-9, 1e-9, 1e-9, 1e-9, 1e-8, 1e-2, 1e-9};
/// Rounding to whole tokens, squared, with a little more for what the model leaves out.
constexpr double noise = 2.0;
/// A measurement farther off than this many times the usual error is not believed…
constexpr double believable = 5.0;
constexpr std::uint64_t warm_up = 5;
/// …unless this many come in a row: then the backend has changed its formula, and learning starts again.
constexpr std::uint32_t change = 10;
/// No known formula has larger factors; whatever is measured, a request must not seem to cost a whole quota.
constexpr ChargeModel::Features highest{0.75, 0.9, 1.0, 1.6, 1.25, 4096.0, 1.5};

}  // namespace

ChargeModel::ChargeModel() noexcept : spread_(0) {
    for (std::size_t i = 0; i < factors; ++i) {
        w_[i].store(guess[i], std::memory_order_relaxed);
        p_[i][i] = doubt[i];
    }
}

double ChargeModel::predict(const Features& x) const noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < factors; ++i) sum += w_[i].load(std::memory_order_relaxed) * x[i];
    return std::max(sum, 0.0);
}

void ChargeModel::learn(const Features& x, double charged) noexcept {
    if (busy_.test_and_set(std::memory_order_acquire)) return;
    const double off = charged - predict(x);
    const double relative = std::min(std::abs(off) / std::max(charged, 1.0), 1.0);
    const bool strange = samples_ >= warm_up && std::abs(off) > believable * std::sqrt(spread_ + noise);
    strange_ = strange ? strange_ + 1 : 0;
    if (strange_ >= change) {
        for (std::size_t i = 0; i < factors; ++i) {
            p_[i].fill(0);
            p_[i][i] = doubt[i];
        }
        samples_ = 0;
        strange_ = 0;
    } else if (strange) {
        busy_.clear(std::memory_order_release);
        return;
    }
    Features px{};
    double variance = noise;
    for (std::size_t i = 0; i < factors; ++i) {
        p_[i][i] = std::min(p_[i][i] + drift[i], doubt[i]);
        for (std::size_t j = 0; j < factors; ++j) px[i] += p_[i][j] * x[j];
        variance += px[i] * x[i];
    }
    for (std::size_t i = 0; i < factors; ++i) {
        const double gain = px[i] / variance;
        const double next = w_[i].load(std::memory_order_relaxed) + gain * off;
        w_[i].store(std::clamp(next, 0.0, highest[i]), std::memory_order_relaxed);
        for (std::size_t j = 0; j < factors; ++j) p_[i][j] -= gain * px[j];
    }
    const double share = 1.0 / static_cast<double>(std::min<std::uint64_t>(++samples_, 50));
    spread_ += (off * off - spread_) * share;
    const double error = error_.load(std::memory_order_relaxed);
    error_.store(error + (relative - error) * share, std::memory_order_relaxed);
    busy_.clear(std::memory_order_release);
}

}  // namespace spillway::quota
