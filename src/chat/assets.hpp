#pragma once
/// The page's files, compressed, as the build embeds them (cmake/EmbedAssets.cmake). Handed in, so that the
/// room is tested without a build of the page.
/// Ownership: views of static storage.
#include <span>
#include <string_view>

namespace spillway::chat {

struct Asset {
    std::string_view path;  ///< "index.html", "assets/index-1a2b3c.js"
    std::string_view gzip;  ///< RFC 1952
};
using Assets = std::span<const Asset>;

[[nodiscard]] const Asset* find_asset(Assets assets, std::string_view path) noexcept;
/// By the name's ending.
[[nodiscard]] std::string_view media_type(std::string_view path) noexcept;

}  // namespace spillway::chat
