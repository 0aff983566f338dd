#pragma once
/// One request's part of a meter's count until its charge is known; its caller keeps it. Thread rule: a
/// value.
#include <cstdint>

namespace spillway::quota {

struct Hold {
    std::uint32_t amount = 0;
    std::uint32_t mark = 0;       ///< the count right after, less all corrections until then
    std::uint32_t behind = 0;     ///< held so shortly before that it may be counted later
    std::uint8_t generation = 0;  ///< 0: nothing is held
};

}  // namespace spillway::quota
