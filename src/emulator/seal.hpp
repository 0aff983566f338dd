#pragma once
/// The encrypted reasoning of an emulated resource: looks like Azure's, is empty, and is valid only where it
/// was created. Thread rule: pure. Errors: none.
#include <string>
#include <string_view>

#include "base/rng.hpp"

namespace spillway::emulator {

[[nodiscard]] std::string make_seal(std::string_view resource, Rng& rng);
[[nodiscard]] bool opens(std::string_view seal, std::string_view resource) noexcept;

}  // namespace spillway::emulator
