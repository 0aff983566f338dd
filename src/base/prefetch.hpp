#pragma once
/// Asks for memory ahead of its use, so that waits for several cold cache lines overlap with work and with
/// each other. A hint: it changes nothing, and any address will do. Thread rule: any. Errors: none.
#include <cstddef>

namespace spillway {

inline constexpr std::size_t kCacheLine = 64;

namespace detail {
template <int Write>
void prefetch(const void* line) noexcept {
    __builtin_prefetch(line, Write);
    // GCC takes a function that does nothing else for one without effect, and leaves out calls of it.
    asm volatile("" : : "r"(line));
}
template <int Write>
void prefetch(const void* from, const void* to) noexcept {
    const auto* const end = static_cast<const std::byte*>(to);
    for (const auto* at = static_cast<const std::byte*>(from); at < end; at += kCacheLine)
        prefetch<Write>(at);
}
}  // namespace detail

/// The lines that [from, to) touches. For writing: they leave the caches of other processors.
inline void prefetch_for_read(const void* from, const void* to) noexcept {
    detail::prefetch<0>(from, to);
}
inline void prefetch_for_read(const void* line) noexcept {
    detail::prefetch<0>(line);
}
inline void prefetch_for_write(const void* line) noexcept {
    detail::prefetch<1>(line);
}
inline void prefetch_for_write(const void* from, const void* to) noexcept {
    detail::prefetch<1>(from, to);
}

}  // namespace spillway
