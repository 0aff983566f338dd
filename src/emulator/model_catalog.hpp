#pragma once
/// What is known about models by name: the dated name in answers, and their abilities.
/// Thread rule: a free function and plain values.
#include <cstddef>
#include <string>
#include <string_view>

#include "emulator/request.hpp"

namespace spillway::emulator {

struct ModelFacts {
    std::string name;            ///< "gpt-4o-2024-08-06"
    std::size_t dimensions = 0;  ///< embeddings; 0: a text model

    [[nodiscard]] bool can(Operation operation) const noexcept {
        return (operation == Operation::embeddings) == (dimensions > 0);
    }
};

/// An unknown name is a text model, or an embedding model of 1,536 dimensions if it contains "embedding".
[[nodiscard]] ModelFacts model_facts(std::string_view model);

}  // namespace spillway::emulator
