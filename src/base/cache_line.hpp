#pragma once
/// The size of a cache line: what changes on different threads is kept this far apart. Thread rule: a
/// constant.
#include <cstddef>

namespace spillway {

inline constexpr std::size_t kCacheLine = 64;

}  // namespace spillway
