#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "app/stack_process.hpp"
#include "base/strings.hpp"
#include "http/server.hpp"

namespace spillway::app::stack {
namespace {

namespace fs = std::filesystem;

/// Inodes of the sockets that listen on `port`, of any address (proc_net_tcp: local address is the second
/// field, state the fourth, inode the tenth; 0A is LISTEN).
std::set<std::string> listening_inodes(std::uint16_t port) {
    std::set<std::string> inodes;
    const std::string wanted = fmt::format(":{:04X}", port);
    for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream in(table);
        for (std::string line; std::getline(in, line);) {
            std::istringstream words(line);
            std::string number;
            std::string local;
            std::string remote;
            std::string state;
            std::string skipped;
            std::string inode;
            words >> number >> local >> remote >> state;
            for (int field = 5; field < 10; ++field) words >> skipped;
            words >> inode;
            if (words && state == "0A" && local.ends_with(wanted)) inodes.insert(inode);
        }
    }
    return inodes;
}

bool has_socket(const fs::path& process, const std::set<std::string>& inodes) {
    std::error_code ec;
    for (fs::directory_iterator at(process / "fd", ec), end; !ec && at != end; at.increment(ec)) {
        std::error_code unreadable;
        const std::string target = fs::read_symlink(at->path(), unreadable).string();
        constexpr std::string_view prefix = "socket:[";
        if (!unreadable && target.starts_with(prefix) &&
            inodes.contains(target.substr(prefix.size(), target.size() - prefix.size() - 1)))
            return true;
    }
    return false;
}

std::string holder_of(std::uint16_t port) {
    const auto inodes = listening_inodes(port);
    if (inodes.empty()) return {};
    std::error_code ec;
    for (fs::directory_iterator at("/proc", ec), end; !ec && at != end; at.increment(ec)) {
        const std::string pid = at->path().filename().string();
        if (!parse_int<int>(pid) || !has_socket(at->path(), inodes)) continue;
        std::ifstream in(at->path() / "comm");
        std::string name;
        std::getline(in, name);
        return fmt::format("{} (process {})", name, pid);
    }
    return {};
}

}  // namespace

std::optional<std::string> port_obstacle(std::uint16_t port) {
    const auto ec = http::probe({.host = "127.0.0.1", .port = port});
    if (!ec) return std::nullopt;
    if (ec != std::errc::address_in_use) return ec.message();
    const std::string holder = holder_of(port);
    return holder.empty() ? "it is in use by another process" : fmt::format("it is in use by {}", holder);
}

}  // namespace spillway::app::stack
