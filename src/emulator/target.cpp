#include "emulator/target.hpp"

#include <array>
#include <utility>

#include "base/hex.hpp"
#include "base/strings.hpp"

namespace spillway::emulator {
namespace {

std::string_view parameter(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        const auto equals = pair.find('=');
        if (equals != std::string_view::npos && iequals(pair.substr(0, equals), name))
            return pair.substr(equals + 1);
    }
    return {};
}

bool consume(std::string_view& path, std::string_view prefix) {
    if (!istarts_with(path, prefix)) return false;
    path.remove_prefix(prefix.size());
    return true;
}

std::optional<Operation> operation_of(std::string_view tail) {
    static constexpr std::array<std::pair<std::string_view, Operation>, 4> known = {
        {{"chat/completions", Operation::chat},
         {"completions", Operation::completions},
         {"embeddings", Operation::embeddings},
         {"responses", Operation::responses}}};
    for (const auto& [name, operation] : known)
        if (iequals(tail, name)) return operation;
    return std::nullopt;
}

}  // namespace

bool Target::has_version() const noexcept {  // 2024-10-21, 2025-03-01-preview, or the v1 names
    if (api_version == "preview" || api_version == "latest") return true;
    constexpr std::string_view pattern = "0000-00-00";
    if (api_version.size() < pattern.size()) return false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const bool digit = api_version[i] >= '0' && api_version[i] <= '9';
        if (pattern[i] == '-' ? api_version[i] != '-' : !digit) return false;
    }
    const std::string_view rest = api_version.substr(pattern.size());
    return rest.empty() || rest == "-preview";
}

Target read_target(std::string_view target) {
    Target t;
    const auto mark = target.find('?');
    std::string_view path = target.substr(0, mark);
    if (mark != std::string_view::npos) t.api_version = parameter(target.substr(mark + 1), "api-version");
    if (!consume(path, "/openai/")) return t;
    if (consume(path, "deployments/")) {
        const auto slash = path.find('/');
        if (slash == std::string_view::npos || slash == 0) return t;
        const auto name = percent_decoded(path.substr(0, slash));
        const auto operation = operation_of(path.substr(slash + 1));
        if (!name || !operation || *operation == Operation::responses) return t;
        t.kind = Target::Kind::create;
        t.deployment = *name;
        t.operation = *operation;
        return t;
    }
    t.v1 = consume(path, "v1/");
    if (const auto operation = operation_of(path);
        operation && (t.v1 || *operation == Operation::responses)) {
        t.kind = Target::Kind::create;
        t.operation = *operation;
    } else if (iequals(path, "models")) {
        t.kind = Target::Kind::models;
    } else if (consume(path, "models/") || consume(path, "responses/")) {
        const auto id = percent_decoded(path);
        if (!id || id->empty() || id->find('/') != std::string::npos) return t;
        // consume() has moved past the name: what stands before tells which.
        t.kind = istarts_with(target.substr(0, mark), t.v1 ? "/openai/v1/models/" : "/openai/models/")
                     ? Target::Kind::models
                     : Target::Kind::response;
        t.id = *id;
    }
    return t;
}

}  // namespace spillway::emulator
