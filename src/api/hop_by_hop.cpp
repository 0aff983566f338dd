#include "api/hop_by_hop.hpp"

namespace spillway::api {

bool is_hop_by_hop(std::string_view name) noexcept {
    switch (name.size()) {
        case 2:
            return iequals(name, "te");
        case 7:
            return iequals(name, "trailer") || iequals(name, "upgrade");
        case 10:
            return iequals(name, "connection") || iequals(name, "keep-alive");
        case 16:
            return iequals(name, "proxy-connection");
        case 17:
            return iequals(name, "transfer-encoding");
        case 18:
            return iequals(name, "proxy-authenticate");
        case 19:
            return iequals(name, "proxy-authorization");
        default:
            return false;
    }
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
