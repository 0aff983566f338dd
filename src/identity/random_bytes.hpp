#pragma once
/// Random numbers that nobody can guess (OpenSSL's).
///
/// Thread rule: any. Errors: std::runtime_error if there are none, as before the system has gathered enough.
#include <openssl/rand.h>

#include <array>
#include <span>
#include <stdexcept>

namespace spillway::identity {

inline void fill_random(std::span<unsigned char> out) {
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1)
        throw std::runtime_error("OpenSSL gives no random numbers");
}

template <std::size_t N>
[[nodiscard]] std::array<unsigned char, N> random_bytes() {
    std::array<unsigned char, N> out{};
    fill_random(out);
    return out;
}

}  // namespace spillway::identity
