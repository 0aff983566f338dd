#include "api/dialect.hpp"

#include <array>

namespace spillway::api {

const Dialect& dialect(config::BackendKind kind) noexcept {
    static const std::array kDialects{
#define SPILLWAY_DIALECT(name, key_style) &name##_dialect(),
#include "config/dialects.def"
#undef SPILLWAY_DIALECT
    };
    return *kDialects[static_cast<std::size_t>(kind)];
}

}  // namespace spillway::api
