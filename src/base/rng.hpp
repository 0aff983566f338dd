#pragma once
/// Randomness as a value that is passed in: a test seeds it, and each worker thread owns one.
/// SplitMix64 (Steele, Lea, Flood 2014): 8 bytes of state, good enough to spread load; never for keys.
#include <cstdint>
#include <limits>

namespace spillway {

class Rng {
public:
    using result_type = std::uint64_t;
    explicit constexpr Rng(std::uint64_t seed) noexcept : state_(seed) {}

    static constexpr result_type min() noexcept { return 0; }
    static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }

    constexpr result_type operator()() noexcept {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31U);
    }

    /// Uniform in [0, 1).
    constexpr double uniform() noexcept { return static_cast<double>((*this)() >> 11U) * 0x1.0p-53; }
    /// Uniform in [0, n); 0 when n is 0.
    constexpr std::uint64_t below(std::uint64_t n) noexcept { return n == 0 ? 0 : (*this)() % n; }

private:
    std::uint64_t state_;
};

}  // namespace spillway
