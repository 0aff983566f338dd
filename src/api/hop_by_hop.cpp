#include "api/hop_by_hop.hpp"

#include "base/name_set.hpp"

namespace spillway::api {

namespace {
constexpr NameSet kHopByHop("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
                            "proxy-authenticate", "proxy-authorization", "proxy-connection");
}

bool is_hop_by_hop(std::string_view name) noexcept {
    return kHopByHop.has(name);
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
