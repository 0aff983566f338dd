#include "config/sources.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "config/secret.hpp"

namespace spillway::config {

Result<std::string> read_whole_file(const std::string& path) {
    constexpr std::size_t kMaxBytes = 16U << 20U;
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) return fail("cannot be opened: " + std::generic_category().message(errno));
    std::string text;
    std::string piece(16'384, '\0');
    while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())), in.gcount() > 0) {
        text.append(piece, 0, static_cast<std::size_t>(in.gcount()));
        if (text.size() > kMaxBytes) return fail("is larger than 16 MiB");
    }
    wipe(piece);
    if (in.bad() || !in.eof()) return fail("cannot be read");
    return text;
}

Sources process_sources() {
    Sources sources;
    sources.env = [](std::string_view name) -> std::optional<std::string> {
        const char* value = std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe)
        if (value == nullptr) return std::nullopt;
        return std::string(value);
    };
    sources.read_file = read_whole_file;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        sources.env_names.emplace_back(text.substr(0, text.find('=')));
    }
    return sources;
}

}  // namespace spillway::config
