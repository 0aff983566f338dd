#pragma once
/// Encrypted reasoning as an emulated resource makes it: looks like Azure's, holds nothing, and is good only
/// where it was made. Thread rule: pure. Errors: none.
#include <string>
#include <string_view>

#include "base/rng.hpp"

namespace spillway::emulator {

[[nodiscard]] std::string make_seal(std::string_view resource, Rng& rng);
[[nodiscard]] bool opens(std::string_view seal, std::string_view resource) noexcept;

}  // namespace spillway::emulator
