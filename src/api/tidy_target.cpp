#include "api/tidy_target.hpp"

#include "api/target_check.hpp"
#include "base/strings.hpp"

namespace spillway::api {
namespace {

constexpr std::string_view openai_prefix = "/openai";
constexpr std::string_view v1_prefix = "/v1";
constexpr std::string_view nameless = "/openai/deployments//";

/// Takes `prefix`, whole segments of it, off `path` if it begins so.
bool consume(std::string_view& path, std::string_view prefix) noexcept {
    if (!istarts_with(path, prefix) || (path.size() > prefix.size() && path[prefix.size()] != '/'))
        return false;
    path.remove_prefix(prefix.size());
    return true;
}

bool begins_with_prefix(std::string_view path) noexcept {
    return consume(path, openai_prefix) || consume(path, v1_prefix);
}

/// What is left of a path without base URLs in front of its own.
std::string_view without_doubled_prefix(std::string_view path) noexcept {
    for (;;) {
        std::string_view rest = path;
        if (consume(rest, openai_prefix))
            consume(rest, v1_prefix);
        else if (!consume(rest, v1_prefix))
            return path;
        if (!begins_with_prefix(rest)) return path;
        path = rest;
    }
}

bool has_version(std::string_view query) noexcept {
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(pair.size() == query.size() ? pair.size() : pair.size() + 1);
        if (iequals(pair.substr(0, pair.find('=')), "api-version")) return true;
    }
    return false;
}

/// "/openai/responses" without a version: the v1 API's.
bool lacks_v1(std::string_view path, std::string_view query) noexcept {
    if (!consume(path, openai_prefix) || has_version(query)) return false;
    std::string_view rest = path;
    if (consume(rest, v1_prefix) || consume(rest, "/deployments")) return false;
    return path.size() > 1;
}

void collapse(std::string_view path, std::string& out) {
    out.clear();
    for (const char c : path)
        if (c != '/' || !out.ends_with('/') || iequals(out, nameless.substr(0, nameless.size() - 1)))
            out.push_back(c);
}

}  // namespace

std::string_view tidy_target(std::string_view target, std::string& out) {
    const std::string_view path = target.substr(0, target.find('?'));
    const std::string_view query = target.substr(path.size());
    const bool doubled = path.find("//") != std::string_view::npos;
    if (!doubled && path.starts_with("/openai/deployments/")) return target;  // as most are
    std::string single;
    if (doubled) collapse(path, single);
    std::string_view tidy = without_doubled_prefix(doubled ? std::string_view(single) : path);
    const bool v1 = lacks_v1(tidy, query.empty() ? query : query.substr(1));
    if (!doubled && !v1 && tidy.size() == path.size()) return target;
    out.clear();
    if (v1) {
        out.append(openai_prefix).append(v1_prefix);
        tidy.remove_prefix(openai_prefix.size());
    }
    return out.append(tidy).append(query);
}

std::string_view path_fault(const Route& route) noexcept {
    const auto has = [&](std::string_view what) { return route.path.find(what) != std::string_view::npos; };
    if (istarts_with(route.path, nameless)) return "The request's path names no deployment.";
    if (has("%2f") || has("%2F"))
        return "The request's path has an escaped slash (%2F) in it. A model with a slash in its name is "
               "named "
               "in the body, at /openai/v1/… or /v1/….";
    if (has("%")) return "The request's path has an escape (%…) in it where none may be.";
    if (!is_safe_query(route.query)) return "The request's query is not valid.";
    return "The request's path is not valid.";
}

}  // namespace spillway::api
