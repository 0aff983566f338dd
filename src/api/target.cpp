// The targets that dialects share: the v1 surface and Azure's.
#include "api/dialect.hpp"
#include "api/target_check.hpp"
#include "base/strings.hpp"

namespace spillway::api {
namespace {

constexpr std::string_view openai_prefix = "/openai";
constexpr std::string_view v1_prefix = "/v1";

bool ends_with(std::string_view path, std::string_view suffix) noexcept {
    return path.size() >= suffix.size() && iequals(path.substr(path.size() - suffix.size()), suffix);
}

std::string_view without_slash(std::string_view path) noexcept {
    while (path.ends_with('/')) path.remove_suffix(1);
    return path;
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

}  // namespace

bool is_v1_base(std::string_view base_path) noexcept {
    return ends_with(without_slash(base_path), v1_prefix);
}

void append_v1_target(std::string& out, std::string_view base_path, const Route& route) {
    const std::string_view base = without_slash(base_path);
    out.append(base);
    if (!ends_with(base, v1_prefix)) out.append(v1_prefix);
    out.append(route.tail);
    append_query_without_version(out, route.query);
}

void append_azure_target(std::string& out, std::string_view base_path, const Route& route,
                         std::string_view deployment) {
    const std::string_view base = without_slash(base_path);
    std::string_view path = route.path;
    const bool shared = ends_with(base, openai_prefix);
    // Below /openai there is no Model Inference API; the v1 API takes the model from the body as well.
    if (shared && route.style == PathStyle::model_inference) return append_v1_target(out, base, route);
    out.append(base);
    if (route.style == PathStyle::openai_v1 || route.style == PathStyle::bare) {
        if (!shared) out.append(openai_prefix);
        if (route.style == PathStyle::bare) out.append(v1_prefix);
    } else if (shared && route.style != PathStyle::unknown) {
        path.remove_prefix(openai_prefix.size());
    }
    if (route.style != PathStyle::azure_deployment || deployment.empty()) {
        out.append(path);
    } else {
        const std::size_t before = path.size() - route.tail.size() - route.deployment.size();
        out.append(path.substr(0, before));
        append_encoded(out, deployment);
        out.append(route.tail);
    }
    if (route.has_query) out.append(1, '?').append(route.query);
}

}  // namespace spillway::api
