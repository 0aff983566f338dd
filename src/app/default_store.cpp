#include "app/default_store.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "base/strings.hpp"

namespace spillway::app {
namespace {

std::filesystem::path state_folder() {
    // Of several, the first (systemd.exec(5)).
    if (const char* const given = std::getenv("STATE_DIRECTORY"); given != nullptr && *given == '/') {
        const std::string_view folders = given;
        return folders.substr(0, folders.find(':'));
    }
    if (const char* const given = std::getenv("XDG_STATE_HOME"); given != nullptr && *given == '/')
        return std::filesystem::path(given) / "spillway";
    if (const char* const home = std::getenv("HOME"); home != nullptr && *home == '/')
        return std::filesystem::path(home) / ".local" / "state" / "spillway";
    return {};
}

/// The same on each start (FNV-1a, 64 bits).
std::uint64_t digest_of(std::string_view text) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return hash;
}

}  // namespace

std::string default_store(const std::string& configuration_file) {
    const std::filesystem::path folder = state_folder();
    if (folder.empty()) return {};
    std::string name = "gateway";
    if (!configuration_file.empty()) {
        std::error_code ec;
        const std::filesystem::path file = std::filesystem::absolute(configuration_file, ec);
        name = fmt::format("{}-{:016x}", file.stem().string(), digest_of(file.lexically_normal().string()));
    }
    return (folder / (name + ".db")).string();
}

}  // namespace spillway::app
