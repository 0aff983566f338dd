#pragma once
/// What a request target asks of an Azure OpenAI resource. This is the resource's own reading, apart from
/// the gateway's in api/route.hpp, so that one checks the other.
/// Thread rule: a free function. Views into the target.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "emulator/request.hpp"

namespace spillway::emulator {

struct Target {
    enum class Kind : std::uint8_t {
        unknown,
        create,    ///< POST: `operation`
        models,    ///< GET: a list, or the one named `id`
        response,  ///< GET, DELETE: the stored response `id`
    };
    Kind kind = Kind::unknown;
    Operation operation = Operation::chat;
    std::string deployment;  ///< decoded; empty: the body's `model`
    std::string id;
    std::string_view api_version;
    bool v1 = false;  ///< /openai/v1: no api-version needed

    /// The date-like version that Azure asks for outside v1.
    [[nodiscard]] bool has_version() const noexcept;
};

[[nodiscard]] Target read_target(std::string_view target);

}  // namespace spillway::emulator
