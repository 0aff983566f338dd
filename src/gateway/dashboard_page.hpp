#pragma once
/// The dashboard that this program carries. Defined by the build (cmake/EmbedAssets.cmake), in a library of
/// its own, so that tests of the room need no build of the page.
#include "http/assets.hpp"

namespace spillway::gateway::dashboard {

using http::Asset;
using http::Assets;
[[nodiscard]] Assets embedded_assets() noexcept;

}  // namespace spillway::gateway::dashboard
