#pragma once
/// Includes all configuration structs. Loading is in config/yaml.hpp and config/aca_env.hpp.
#include "config/backend.hpp"   // IWYU pragma: export
#include "config/emulator.hpp"  // IWYU pragma: export
#include "config/gateway.hpp"   // IWYU pragma: export
#include "config/secret.hpp"    // IWYU pragma: export
