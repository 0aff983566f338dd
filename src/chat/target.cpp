#include "chat/target.hpp"

#include <algorithm>

#include "base/hex.hpp"
#include "base/strings.hpp"
#include "base/utf8.hpp"

namespace spillway::chat {

std::vector<std::string_view> segments(std::string_view path) {
    std::vector<std::string_view> out;
    while (!path.empty()) {
        const auto slash = path.find('/');
        out.push_back(path.substr(0, slash));
        path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    }
    return out;
}

std::string query_value(std::string_view target, std::string_view name) {
    const auto mark = target.find('?');
    std::string_view rest = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
    while (!rest.empty()) {
        const auto amp = rest.find('&');
        const std::string_view pair = rest.substr(0, amp);
        rest = amp == std::string_view::npos ? std::string_view{} : rest.substr(amp + 1);
        if (pair.size() <= name.size() || !pair.starts_with(name) || pair[name.size()] != '=') continue;
        const std::string_view raw = pair.substr(name.size() + 1);
        std::string with_spaces(raw);
        std::replace(with_spaces.begin(), with_spaces.end(), '+', ' ');
        const auto value = percent_decoded(with_spaces);
        return value && is_utf8(*value) ? *value : std::string();
    }
    return {};
}

}  // namespace spillway::chat
