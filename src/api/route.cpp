#include "api/route.hpp"

#include "api/target_check.hpp"
#include "base/strings.hpp"

namespace spillway::api {
namespace {

constexpr std::string_view openai_prefix = "/openai";
constexpr std::string_view v1_prefix = "/v1";

/// Whether `path` begins with the whole segments of `prefix`.
bool has_prefix(std::string_view path, std::string_view prefix) noexcept {
    return istarts_with(path, prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

bool ends_with(std::string_view path, std::string_view suffix) noexcept {
    return path.size() >= suffix.size() && iequals(path.substr(path.size() - suffix.size()), suffix);
}

std::string_view without_slash(std::string_view path) noexcept {
    while (path.ends_with('/')) path.remove_suffix(1);
    return path;
}

Operation operation_of(std::string_view tail) noexcept {
    tail = without_slash(tail);
    if (iequals(tail, "/chat/completions")) return Operation::chat;
    if (iequals(tail, "/completions")) return Operation::completions;
    if (iequals(tail, "/embeddings")) return Operation::embeddings;
    if (iequals(tail, "/responses")) return Operation::responses;
    return Operation::other;
}

void find_surface(Route& route) noexcept {
    std::string_view rest = route.path;
    route.tail = rest;
    if (has_prefix(rest, v1_prefix)) {
        route.style = PathStyle::openai_v1;
        route.tail = rest.substr(v1_prefix.size());
        return;
    }
    if (!has_prefix(rest, openai_prefix)) return;
    rest.remove_prefix(openai_prefix.size());
    route.style = PathStyle::azure_plain;
    route.tail = rest;
    if (has_prefix(rest, v1_prefix)) {
        route.style = PathStyle::azure_v1;
        route.tail = rest.substr(v1_prefix.size());
        return;
    }
    constexpr std::string_view deployments = "/deployments/";
    if (!istarts_with(rest, deployments)) return;
    rest.remove_prefix(deployments.size());
    const std::string_view name = rest.substr(0, rest.find('/'));
    if (name.empty()) return;
    route.style = PathStyle::azure_deployment;
    route.deployment = name;
    route.tail = rest.substr(name.size());
}

/// The base path names the v1 surface, or the backend speaks nothing else.
bool speaks_v1(TargetKind kind, std::string_view base) noexcept {
    return kind == TargetKind::openai || ends_with(base, v1_prefix);
}

void append_encoded(std::string& out, std::string_view segment) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    for (const char c : segment) {
        const bool unreserved = is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
        if (unreserved) {
            out.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.push_back('%');
            out.push_back(hex[byte >> 4U]);
            out.push_back(hex[byte & 0xfU]);
        }
    }
}

/// The query without Azure's api-version, '?' included unless nothing is left.
void append_query_without_version(std::string& out, std::string_view query) {
    char mark = '?';
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(pair.size() == query.size() ? pair.size() : pair.size() + 1);
        if (pair.empty() || iequals(pair.substr(0, pair.find('=')), "api-version")) continue;
        out.append(1, mark).append(pair);
        mark = '&';
    }
}

void append_path(std::string& out, std::string_view base, const Route& route,
                 std::string_view new_deployment) {
    std::string_view path = route.path;
    if (route.style == PathStyle::openai_v1) {
        out.append(base);
        if (!ends_with(base, openai_prefix)) out.append(openai_prefix);
        out.append(path);
        return;
    }
    const bool shared = route.style != PathStyle::unknown && ends_with(base, openai_prefix);
    if (shared) path.remove_prefix(openai_prefix.size());
    out.append(base);
    if (route.style != PathStyle::azure_deployment || new_deployment.empty()) {
        out.append(path);
        return;
    }
    const std::size_t before = path.size() - route.tail.size() - route.deployment.size();
    out.append(path.substr(0, before));
    append_encoded(out, new_deployment);
    out.append(route.tail);
}

}  // namespace

Route classify(std::string_view target) noexcept {
    Route route;
    const std::size_t mark = target.find('?');
    route.path = target.substr(0, mark);
    route.has_query = mark != std::string_view::npos;
    if (route.has_query) route.query = target.substr(mark + 1);
    if (!is_safe_query(route.query) || !route.path.starts_with('/')) {
        route.bad = true;
        return route;
    }
    find_surface(route);
    route.op = route.style == PathStyle::unknown ? Operation::other : operation_of(route.tail);
    route.bad = !is_safe_path(route);
    return route;
}

bool deployment_in_path(TargetKind kind, std::string_view base_path, const Route& route) noexcept {
    return route.style == PathStyle::azure_deployment && !speaks_v1(kind, without_slash(base_path));
}

void append_target(std::string& out, TargetKind kind, std::string_view base_path, const Route& route,
                   std::string_view new_deployment) {
    const std::string_view base = without_slash(base_path);
    if (route.style != PathStyle::unknown && speaks_v1(kind, base)) {
        out.append(base);
        if (!ends_with(base, v1_prefix)) out.append(v1_prefix);
        out.append(route.tail);
        append_query_without_version(out, route.query);
        return;
    }
    append_path(out, base, route, new_deployment);
    if (route.has_query) out.append(1, '?').append(route.query);
}

std::string_view to_string(Operation op) noexcept {
    switch (op) {
        case Operation::chat:
            return "chat";
        case Operation::completions:
            return "completions";
        case Operation::embeddings:
            return "embeddings";
        case Operation::responses:
            return "responses";
        case Operation::other:
            break;
    }
    return "other";
}

std::string_view to_string(PathStyle style) noexcept {
    switch (style) {
        case PathStyle::azure_deployment:
            return "azure_deployment";
        case PathStyle::azure_v1:
            return "azure_v1";
        case PathStyle::openai_v1:
            return "openai_v1";
        case PathStyle::azure_plain:
            return "azure_plain";
        case PathStyle::unknown:
            break;
    }
    return "unknown";
}

}  // namespace spillway::api
