#pragma once
/// Parses a request target as an Azure OpenAI resource does. Separate from the gateway's parser in
/// api/route.hpp, so that each checks the other.
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

    /// The dated version that Azure requires outside v1.
    [[nodiscard]] bool has_version() const noexcept;
};

[[nodiscard]] Target read_target(std::string_view target);

}  // namespace spillway::emulator
