#pragma once
/// The dashboard embedded in this program. Defined by the build (cmake/EmbedAssets.cmake) in a separate
/// library, so that tests of the room do not need the page to be built.
#include "http/assets.hpp"

namespace spillway::gateway::dashboard {

using http::Asset;
using http::Assets;
[[nodiscard]] Assets embedded_assets() noexcept;

}  // namespace spillway::gateway::dashboard
