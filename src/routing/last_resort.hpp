#pragma once
/// What is done when nobody is usable: Picker::try_last_resort() and explain().
/// Thread rule: a free function. Errors: none.
#include "routing/verdict.hpp"

namespace spillway::routing {

/// How bad it is to try one in spite of its failures: what a strike closed (0) may be well again for this
/// request.
[[nodiscard]] unsigned badness(Reason reason) noexcept;
inline constexpr unsigned worst = 3;

}  // namespace spillway::routing
