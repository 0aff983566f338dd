#include "api/hop_by_hop.hpp"

#include <algorithm>
#include <array>

namespace spillway::api {

bool is_hop_by_hop(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 9> names{"connection",
                                                           "keep-alive",
                                                           "proxy-connection",
                                                           "proxy-authenticate",
                                                           "proxy-authorization",
                                                           "te",
                                                           "trailer",
                                                           "transfer-encoding",
                                                           "upgrade"};
    return std::any_of(names.begin(), names.end(), [&](std::string_view n) { return iequals(n, name); });
}

bool is_hop_by_hop(std::string_view name, std::string_view connection_value) noexcept {
    return is_hop_by_hop(name) || list_has_token(connection_value, name);
}

bool list_has_token(std::string_view list, std::string_view token) noexcept {
    if (token.empty()) return false;
    for (;;) {
        const std::size_t comma = list.find(',');
        if (iequals(trim(list.substr(0, comma)), token)) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
}

}  // namespace spillway::api
