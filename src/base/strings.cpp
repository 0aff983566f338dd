#include "base/strings.hpp"

#include "base/eight_bytes.hpp"

namespace spillway::detail {
namespace {

using namespace eight_bytes;

constexpr std::uint64_t case_bits = 0x20 * ones;

/// Eight bytes at once: they differ in nothing but the case bit, and that where there are letters.
bool same(std::uint64_t a, std::uint64_t b) noexcept {
    const std::uint64_t different = a ^ b;
    if (different == 0) return true;
    if ((different & ~case_bits) != 0) return false;
    const std::uint64_t lower = (a | case_bits) & ~tops;
    const std::uint64_t from_a = lower + ones * (0x80 - 'a');  // no sum passes its byte
    const std::uint64_t beyond_z = lower + ones * (0x7f - 'z');
    const std::uint64_t letters = from_a & ~beyond_z & ~a & tops;
    return ((different << 2U) & ~letters) == 0;
}

}  // namespace

bool equal_but_case(const char* a, const char* b, std::size_t n) noexcept {
    if (n >= size) {
        for (std::size_t i = 0; i + size < n; i += size)
            if (!same(load(a + i), load(b + i))) return false;
        return same(load(a + n - size), load(b + n - size));
    }
    if (n >= size / 2)
        return same(load_half(a), load_half(b)) &&
               same(load_half(a + n - size / 2), load_half(b + n - size / 2));
    for (std::size_t i = 0; i < n; ++i)
        if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    return true;
}

}  // namespace spillway::detail
