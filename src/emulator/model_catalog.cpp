#include "emulator/model_catalog.hpp"

#include <algorithm>
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

ModelLimits model_limits(std::string_view model) noexcept {
    struct Known {
        std::string_view start;
        ModelLimits limits;
    };
    // The first that fits: longer names before shorter ones.
    static constexpr std::array<Known, 27> catalog = {{
        {"gpt-35-turbo-instruct", {4097, 4097, false}},
        {"gpt-3.5-turbo-instruct", {4097, 4097, false}},
        {"gpt-35-turbo", {16385, 4096, false}},
        {"gpt-3.5-turbo", {16385, 4096, false}},
        {"gpt-4-32k", {32768, 32768, false}},
        {"gpt-4-turbo", {128000, 4096, true}},
        {"gpt-4-vision", {128000, 4096, true}},
        {"gpt-4o", {128000, 16384, true}},
        {"gpt-4.1", {1047576, 32768, true}},
        {"gpt-4.5", {128000, 16384, true}},
        {"gpt-4", {8192, 8192, false}},
        {"o1-mini", {128000, 65536, false}},
        {"o1-preview", {128000, 32768, false}},
        {"o1", {200000, 100000, true}},
        {"o3-mini", {200000, 100000, false}},
        {"o3", {200000, 100000, true}},
        {"o4-mini", {200000, 100000, true}},
        {"codex-mini", {200000, 100000, true}},
        {"gpt-5-chat", {128000, 16384, true}},
        {"gpt-5", {400000, 128000, true}},
        {"text-embedding-3-small", {8192, 0, false}},
        {"text-embedding-3-large", {8192, 0, false}},
        {"text-embedding-ada-002", {8192, 0, false}},
        {"davinci-002", {16384, 16384, false}},
        {"babbage-002", {16384, 16384, false}},
        {"gpt-oss", {131072, 131072, false}},
        {"model-router", {200000, 32768, true}},
    }};
    for (const Known& k : catalog) {
        if (!model.starts_with(k.start)) continue;
        const std::string_view rest = model.substr(k.start.size());
        if (rest.empty() || rest.front() == '-' || rest.front() == '.') return k.limits;
    }
    return {};
}

bool is_reasoning(std::string_view model) noexcept {
    const bool o_series = model.size() > 1 && model[0] == 'o' && model[1] >= '1' && model[1] <= '9';
    const bool gpt5 = model.starts_with("gpt-5") && model.find("chat") == std::string_view::npos;
    return o_series || gpt5 || model.starts_with("codex-mini");
}

bool completes(std::string_view model) noexcept {
    if (model.find("instruct") != std::string_view::npos) return true;
    constexpr std::array<std::string_view, 4> chat{"gpt-", "chatgpt-", "codex-", "model-router"};
    return !is_reasoning(model) && std::none_of(chat.begin(), chat.end(), [&](std::string_view start) {
        return model.starts_with(start);
    });
}

bool chats(std::string_view model) noexcept {
    return model.find("instruct") == std::string_view::npos && model != "davinci-002" &&
           model != "babbage-002";
}

}  // namespace spillway::emulator
