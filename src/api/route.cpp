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

/// Some clients leave out the prefix: what begins as an operation of the v1 API does is taken for it.
bool is_v1_tail(std::string_view path) noexcept {
    if (has_prefix(path, kModelsTail)) return true;
    for (const Operation* row : kOperations)
        if (has_prefix(path, row->tail)) return true;
    return false;
}

bool is_model_inference(std::string_view path) noexcept {
    if (!has_prefix(path, kModelsTail)) return false;
    path.remove_prefix(kModelsTail.size());
    return &find_operation(path, "POST") != &operations::other;
}

void find_surface(Route& route) noexcept {
    std::string_view rest = route.path;
    route.tail = rest;
    if (has_prefix(rest, v1_prefix)) {
        route.style = PathStyle::openai_v1;
        route.tail = rest.substr(v1_prefix.size());
        return;
    }
    if (!has_prefix(rest, openai_prefix)) {
        if (is_v1_tail(rest)) route.style = PathStyle::bare;
        if (is_model_inference(rest)) {
            route.style = PathStyle::model_inference;
            route.tail = rest.substr(kModelsTail.size());
        }
        return;
    }
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

}  // namespace

Route classify(std::string_view target, std::string_view method) noexcept {
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
    if (route.style != PathStyle::unknown) route.operation = &find_operation(route.tail, method);
    route.bad = !is_safe_path(route);
    return route;
}

const Operation& find_operation(std::string_view tail, std::string_view method,
                                std::span<const Operation* const> operations) noexcept {
    while (tail.ends_with('/')) tail.remove_suffix(1);
    for (const Operation* row : operations)
        if (iequals(tail, row->tail)) return method == row->method ? *row : operations::other;
    return operations::other;
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
        case PathStyle::model_inference:
            return "model_inference";
        case PathStyle::bare:
            return "bare";
        case PathStyle::unknown:
            break;
    }
    return "unknown";
}

}  // namespace spillway::api
