#include "app/successor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "base/loop.hpp"
#include "base/readiness.hpp"
#include "base/strings.hpp"
#include "base/timer.hpp"

namespace spillway::app {
namespace {

constexpr char kServes = 's';
/// Ends what was learned before the successor serves.
constexpr std::string_view kAll = "all\n";
/// More than that is not read, or not sent.
constexpr std::size_t kMostLearned = std::size_t{64} << 20U;
constexpr int kLearnedPatienceMs = 1000;
constexpr Duration kLookAgain = std::chrono::milliseconds(5);

Error failure(std::string_view what, int error) {
    return fail(fmt::format("{}: {}", what, std::generic_category().message(error)));
}

/// The environment, but for what was meant for this process alone.
std::vector<std::string> environment_of_successor(std::size_t sockets) {
    std::vector<std::string> out;
    for (char** at = environ; *at != nullptr; ++at) {
        const std::string_view entry = *at;
        bool ours = false;
        for (const std::string_view name : {"LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES=", "WATCHDOG_PID="})
            ours = ours || entry.starts_with(name);
        if (!ours) out.emplace_back(entry);
    }
    out.push_back(fmt::format("{}={}", kSocketsVariable, sockets));
    out.push_back(
        fmt::format("{}={}", kPredecessorVariable, static_cast<std::size_t>(kFirstSocket) + sockets));
    return out;
}

}  // namespace

Program Program::of_this_process() {
    Program out;
    std::error_code ignored;
    out.path = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
    std::ifstream in("/proc/self/cmdline", std::ios::binary);
    for (std::string word; std::getline(in, word, '\0');) out.words.push_back(word);
    return out;
}

Result<Successor> Successor::start(const Program& program, std::span<const int> sockets) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return failure("socketpair", errno);
    FileDescriptor ours(ends[0]);
    FileDescriptor theirs(ends[1]);

    // First out of the way of where they are to be.
    const int above = kFirstSocket + static_cast<int>(sockets.size()) + 1;
    std::vector<FileDescriptor> copies;
    for (const int socket : sockets) copies.emplace_back(::fcntl(socket, F_DUPFD_CLOEXEC, above));
    copies.emplace_back(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, above));
    SpawnSetup spawn;
    int target = kFirstSocket;
    for (const FileDescriptor& copy : copies) {
        if (!copy.is_open()) return failure("dup", EMFILE);
        posix_spawn_file_actions_adddup2(&spawn.actions, copy.get(), target++);
    }
    spawn.unblock_signals();
    spawn.default_signals();
    posix_spawnattr_setflags(&spawn.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<std::string> words = program.words;
    std::vector<std::string> variables = environment_of_successor(sockets.size());
    pid_t pid = 0;
    const int failed = posix_spawn(&pid, program.path.c_str(), &spawn.actions, &spawn.attributes,
                                   pointers_to(words).data(), pointers_to(variables).data());
    if (failed != 0) return failure(program.path, failed);
    return Successor(pid, std::move(ours));
}

bool Successor::send() {
    while (!unsent_.empty()) {
        const ssize_t n = ::send(line_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) return errno == EAGAIN || errno == EINTR;
        unsent_.erase(0, static_cast<std::size_t>(n));
    }
    return true;
}

Task<bool> Successor::serves(Loop& loop, Duration patience, std::string learned) {
    ::fcntl(line_.get(), F_SETFL, O_NONBLOCK);
    unsent_ = std::move(learned);
    unsent_ += kAll;
    Timer timer(loop);
    const Mono end = mono_now() + patience;
    char word = 0;
    ssize_t n = -1;
    while (mono_now() < end) {
        if (!send()) break;
        n = ::recv(line_.get(), &word, 1, 0);
        if (n >= 0 || (errno != EAGAIN && errno != EINTR)) break;
        (void)co_await timer.sleep_for(kLookAgain);
    }
    const bool good = n == 1 && word == kServes;
    if (good)
        (void)child_.let_go();
    else
        line_.reset();
    co_return good;
}

void Successor::tell(std::string_view more) {
    if (!line_.is_open()) return;
    unsent_ += more;
    if (!send() || unsent_.size() > kMostLearned) line_.reset();
}

void Successor::stop() noexcept {
    ::kill(pid_, SIGTERM);
}

Predecessor Predecessor::of_environment() {
    Predecessor out;
    const char* const text = std::getenv(kPredecessorVariable);
    if (text == nullptr) return out;
    const int fd = parse_int<int>(text).value_or(-1);
    ::unsetenv(kPredecessorVariable);
    if (fd < kFirstSocket || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return out;
    out.line_ = FileDescriptor(fd);
    return out;
}

std::string Predecessor::learned() {
    std::string out;
    if (!line_.is_open()) return out;
    std::array<char, 4096> part{};
    while (out.size() <= kMostLearned && !(out == kAll || out.ends_with('\n' + std::string(kAll)))) {
        pollfd p{line_.get(), POLLIN, 0};
        if (::poll(&p, 1, kLearnedPatienceMs) <= 0) break;
        const ssize_t n = ::recv(line_.get(), part.data(), part.size(), 0);
        if (n <= 0) break;
        out.append(part.data(), static_cast<std::size_t>(n));
    }
    return out;
}

void Predecessor::tell_served() {
    if (line_.is_open()) (void)::send(line_.get(), &kServes, 1, MSG_NOSIGNAL);
}

Task<std::optional<std::string>> Predecessor::more(Loop& loop) {
    if (!line_.is_open()) co_return std::nullopt;
    ::fcntl(line_.get(), F_SETFL, O_NONBLOCK);
    Readiness ready(loop, line_.get());
    std::array<char, 4096> part{};
    for (;;) {
        if (const std::size_t end = part_.rfind('\n'); end != std::string::npos) {
            std::string out = part_.substr(0, end + 1);
            part_.erase(0, end + 1);
            co_return out;
        }
        const ssize_t n = ::recv(line_.get(), part.data(), part.size(), 0);
        const bool later = n < 0 && (errno == EAGAIN || errno == EINTR) && !ready.error();
        if (n > 0)
            part_.append(part.data(), static_cast<std::size_t>(n));
        else if (!later)
            break;
        else
            co_await ready.wait();
    }
    co_return std::nullopt;
}

}  // namespace spillway::app
