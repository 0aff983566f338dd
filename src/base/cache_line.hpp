#pragma once
/// The size of a cache line: data written by different threads is kept this far apart. Thread rule: a
/// constant.
#include <cstddef>

namespace spillway {

inline constexpr std::size_t kCacheLine = 64;

}  // namespace spillway
