#pragma once
/// Asks for memory ahead of its use, so that waits for several cold cache lines overlap with work and with
/// each other. A hint: it changes nothing, and any address will do. Thread rule: any. Errors: none.
#include <cstddef>

namespace spillway {

inline constexpr std::size_t kCacheLine = 64;

/// The lines that [from, to) touches, to be read and written soon.
inline void prefetch_for_write(const void* from, const void* to) noexcept {
    const auto* const end = static_cast<const std::byte*>(to);
    for (const auto* at = static_cast<const std::byte*>(from); at < end; at += kCacheLine)
        __builtin_prefetch(at, 1);
}

}  // namespace spillway
