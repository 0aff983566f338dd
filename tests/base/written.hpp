#pragma once
// What is written with a Pen, as a string.
#include <string>

#include "base/pen.hpp"

namespace spillway::test {

/// What write(pen) writes; there is no guess of its length.
template <class Write>
std::string written(Write write) {
    std::string out;
    {
        Pen pen(out, 0);
        write(pen);
    }
    return out;
}

}  // namespace spillway::test
