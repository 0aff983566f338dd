#include "chat/guard.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"
#include "chat/ids.hpp"

namespace spillway::chat {

std::string_view session_of(const http::RequestHead& request) noexcept {
    for (const http::Field& field : request.fields) {
        if (!iequals(field.name, "cookie")) continue;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const auto semicolon = rest.find(';');
            const std::string_view pair = trim(rest.substr(0, semicolon));
            rest = semicolon == std::string_view::npos ? std::string_view{} : rest.substr(semicolon + 1);
            if (pair.size() > session_cookie.size() && pair.starts_with(session_cookie) &&
                pair[session_cookie.size()] == '=') {
                const std::string_view id = pair.substr(session_cookie.size() + 1);
                if (is_id(id)) return id;
            }
        }
    }
    return {};
}

std::string set_cookie(std::string_view id) {
    return fmt::format("{}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict", session_cookie, id);
}

}  // namespace spillway::chat
