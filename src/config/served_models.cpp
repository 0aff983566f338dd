#include "config/served_models.hpp"

#include <algorithm>

namespace spillway::config {

bool matches_glob(std::string_view pattern, std::string_view text) noexcept {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;  // the last '*' met, and the text it was tried from
    std::size_t from = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool serves(const BackendConfig& backend, std::string_view requested) noexcept {
    if (backend.models.empty() || requested.empty()) return true;
    if (backend.deployments.contains(requested)) return true;
    const std::string_view own = resolve_deployment(backend, requested);
    return std::ranges::any_of(backend.models, [&](const std::string& pattern) {
        return matches_glob(pattern, requested) || matches_glob(pattern, own);
    });
}

}  // namespace spillway::config
