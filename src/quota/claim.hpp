#pragma once
/// One request's share of a meter's count, kept by whoever made it. Thread rule: a value.
#include <cstdint>

namespace spillway::quota {

struct Claim {
    std::uint32_t amount = 0;
    std::uint32_t mark = 0;       ///< the count right after, less all corrections until then
    std::uint32_t behind = 0;     ///< claimed so shortly before that it may be counted later
    std::uint8_t generation = 0;  ///< 0: nothing was claimed
};

}  // namespace spillway::quota
