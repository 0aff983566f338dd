#pragma once
/// A page's compressed files, embedded by the build (cmake/EmbedAssets.cmake), and the fields they are served
/// with, including a policy that limits the page to its own server (Content Security Policy 3).
/// Ownership: views of static storage. Thread rule: free functions, safe everywhere. Errors: none.
#include <array>
#include <span>
#include <string_view>

#include "http/message.hpp"

namespace spillway::http {

struct Asset {
    std::string_view path;  ///< "index.html", "assets/index-1a2b3c.js"
    std::string_view gzip;  ///< RFC 1952
};
using Assets = std::span<const Asset>;

/// For a request's path without the query; "/" is index.html. Null if there is none.
[[nodiscard]] const Asset* find_asset(Assets assets, std::string_view path) noexcept;
/// From the name's extension.
[[nodiscard]] std::string_view media_type(std::string_view path) noexcept;
/// The header fields of a 200 answer with `asset.gzip` as its body.
[[nodiscard]] std::array<Field, 10> asset_fields(const Asset& asset) noexcept;
[[nodiscard]] bool accepts_gzip(const RequestHead& request) noexcept;

}  // namespace spillway::http
