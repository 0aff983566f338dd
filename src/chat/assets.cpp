#include "chat/assets.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace spillway::chat {

const Asset* find_asset(Assets assets, std::string_view path) noexcept {
    const auto at = std::ranges::find(assets, path, &Asset::path);
    return at == assets.end() ? nullptr : &*at;
}

std::string_view media_type(std::string_view path) noexcept {
    using Entry = std::pair<std::string_view, std::string_view>;
    static constexpr std::array<Entry, 7> types = {{{".html", "text/html; charset=utf-8"},
                                                    {".js", "text/javascript; charset=utf-8"},
                                                    {".css", "text/css; charset=utf-8"},
                                                    {".svg", "image/svg+xml"},
                                                    {".png", "image/png"},
                                                    {".woff2", "font/woff2"},
                                                    {".json", "application/json"}}};
    for (const auto& [ending, type] : types)
        if (path.ends_with(ending)) return type;
    return "application/octet-stream";
}

}  // namespace spillway::chat
