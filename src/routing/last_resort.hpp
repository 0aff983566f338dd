#pragma once
/// What happens when no backend is usable: Picker::try_last_resort() and explain().
/// Thread rule: a free function. Errors: none.
#include "routing/verdict.hpp"

namespace spillway::routing {

/// How bad it is to try a backend despite its failures. 0: ejected by strikes, so it may well serve this
/// request.
[[nodiscard]] unsigned badness(Reason reason) noexcept;
inline constexpr unsigned worst = 3;

}  // namespace spillway::routing
