#include "identity/azure_cli.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

#include "base/child_process.hpp"
#include "base/clock.hpp"
#include "base/file_descriptor.hpp"
#include "identity/azure_token.hpp"

namespace spillway::identity {
namespace {

constexpr std::size_t kMostOutput = std::size_t{256} * 1024;
/// How often a stop is looked for.
constexpr int kPollMs = 50;

/// All that is written until the other end closes it; nothing if that takes too long.
Result<std::string> read_all(int fd, const std::stop_token& stop) {
    const Mono end = mono_now() + kAzureCliTimeout;
    std::string out;
    std::array<char, 4096> piece{};
    for (;;) {
        if (stop.stop_requested()) return fail("stopped");
        if (mono_now() >= end) return fail(fmt::format("az took more than {} s", kAzureCliTimeout.count()));
        pollfd one{fd, POLLIN, 0};
        if (::poll(&one, 1, kPollMs) <= 0) continue;
        const ssize_t n = ::read(fd, piece.data(), piece.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return out;
        out.append(piece.data(), static_cast<std::size_t>(n));
        if (out.size() > kMostOutput) return fail("az printed too much");
    }
}

Result<pid_t> start(std::vector<std::string> arguments, int output) {
    const std::vector<char*> argv = pointers_to(arguments);
    SpawnSetup setup;
    ::posix_spawn_file_actions_addopen(&setup.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&setup.actions, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&setup.actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addchdir_np(&setup.actions, "/bin");
    setup.unblock_signals();
    // A process group of its own, so that all of it can be ended.
    ::posix_spawnattr_setpgroup(&setup.attributes, 0);
    ::posix_spawnattr_setflags(&setup.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    pid_t pid = 0;
    const int failed = ::posix_spawnp(&pid, argv[0], &setup.actions, &setup.attributes, argv.data(), environ);
    if (failed == ENOENT) return fail("az is not on the PATH");
    if (failed != 0) return fail("az cannot be started: " + std::generic_category().message(failed));
    return pid;
}

}  // namespace

Result<std::string> ask_azure_cli(std::string_view scope, std::string_view tenant,
                                  const std::stop_token& stop) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return fail("no pipe: " + std::generic_category().message(errno));
    const FileDescriptor out(ends[0]);
    FileDescriptor in(ends[1]);
    std::vector<std::string> arguments{"az", "account", "get-access-token", "--output", "json"};
    const std::string_view resource = resource_of(scope);
    arguments.emplace_back(resource == scope ? "--scope" : "--resource");
    arguments.emplace_back(resource);
    if (!tenant.empty()) {
        arguments.emplace_back("--tenant");
        arguments.emplace_back(tenant);
    }
    auto pid = start(std::move(arguments), in.get());
    if (!pid) return pid.error();
    in.reset();
    ChildProcess child(*pid, true);
    auto text = read_all(out.get(), stop);
    if (!text) return text.error();
    const int status = child.wait();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fail(fmt::format("az ended with {}: is anyone logged in (az login)?",
                                WIFEXITED(status) ? WEXITSTATUS(status) : -1));
    return text;
}

}  // namespace spillway::identity
