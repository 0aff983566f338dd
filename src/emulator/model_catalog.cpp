#include "emulator/model_catalog.hpp"

#include <array>

namespace spillway::emulator {

ModelFacts model_facts(std::string_view model) {
    struct Known {
        std::string_view model;
        std::string_view dated;
        std::size_t dimensions;
    };
    static constexpr std::array<Known, 9> catalog = {{
        {"gpt-4o", "gpt-4o-2024-08-06", 0},
        {"gpt-4o-mini", "gpt-4o-mini-2024-07-18", 0},
        {"gpt-4.1", "gpt-4.1-2025-04-14", 0},
        {"gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", 0},
        {"o3-mini", "o3-mini-2025-01-31", 0},
        {"o4-mini", "o4-mini-2025-04-16", 0},
        {"text-embedding-3-small", "text-embedding-3-small", 1536},
        {"text-embedding-3-large", "text-embedding-3-large", 3072},
        {"text-embedding-ada-002", "text-embedding-ada-002", 1536},
    }};
    for (const Known& k : catalog)
        if (k.model == model) return {std::string(k.dated), k.dimensions};
    const bool embeds = model.find("embedding") != std::string_view::npos;
    return {std::string(model), embeds ? std::size_t{1536} : 0};
}

}  // namespace spillway::emulator
