#include "http/assets.hpp"

#include <algorithm>
#include <utility>

namespace spillway::http {
namespace {

constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// For what is shown in a frame: an origin of its own that can reach nothing, whatever runs in it.
constexpr std::string_view frame_policy =
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

}  // namespace

const Asset* find_asset(Assets assets, std::string_view path) noexcept {
    const std::string_view name =
        path == "/" ? std::string_view("index.html") : path.substr(path.starts_with('/') ? 1 : 0);
    const auto at = std::ranges::find(assets, name, &Asset::path);
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

std::array<Field, 10> asset_fields(const Asset& asset) noexcept {
    // Names in assets/ change with their content.
    const std::string_view caching =
        asset.path.starts_with("assets/") ? "public, max-age=31536000, immutable" : "no-cache";
    const bool framed = asset.path.starts_with("sandbox/");
    return {{{"content-type", media_type(asset.path)},
             {"content-encoding", "gzip"},
             {"vary", "accept-encoding"},
             {"cache-control", caching},
             {"content-security-policy", framed ? frame_policy : page_policy},
             {"x-content-type-options", "nosniff"},
             {"x-frame-options", framed ? "SAMEORIGIN" : "DENY"},
             {"referrer-policy", "no-referrer"},
             {"cross-origin-opener-policy", "same-origin"},
             {"cross-origin-resource-policy", "same-origin"}}};
}

bool accepts_gzip(const RequestHead& request) noexcept {
    return request.fields.get("accept-encoding").find("gzip") != std::string_view::npos;
}

}  // namespace spillway::http
