#include "identity/azure_cli.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

#include "base/clock.hpp"
#include "identity/azure_token.hpp"

namespace spillway::identity {
namespace {

constexpr std::size_t kMostOutput = std::size_t{256} * 1024;
/// How often a stop is looked for.
constexpr int kPollMs = 50;

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(); }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

class Actions {
public:
    Actions() { ::posix_spawn_file_actions_init(&actions_); }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }
    posix_spawn_file_actions_t* get() noexcept { return &actions_; }

private:
    posix_spawn_file_actions_t actions_{};
};

class Attributes {
public:
    Attributes() {
        ::posix_spawnattr_init(&attributes_);
        // This thread has all signals blocked; the child is a process group of its own, so that all of it
        // can be ended.
        sigset_t none;
        ::sigemptyset(&none);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setpgroup(&attributes_, 0);
        ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
    posix_spawnattr_t* get() noexcept { return &attributes_; }

private:
    posix_spawnattr_t attributes_{};
};

/// A child that is waited for, and ended if that is not done.
class Child {
public:
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ <= 0) return;
        ::kill(-pid_, SIGKILL);
        (void)wait();
    }
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = 0;
        return status;
    }

private:
    pid_t pid_;
};

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
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    Actions actions;
    ::posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(actions.get(), output, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(actions.get(), STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addchdir_np(actions.get(), "/bin");
    Attributes attributes;
    pid_t pid = 0;
    const int failed = ::posix_spawnp(&pid, argv[0], actions.get(), attributes.get(), argv.data(), environ);
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
    Descriptor out(ends[0]);
    Descriptor in(ends[1]);
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
    in.close();
    Child child(*pid);
    auto text = read_all(out.get(), stop);
    if (!text) return text.error();
    const int status = child.wait();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fail(fmt::format("az ended with {}: is anyone logged in (az login)?",
                                WIFEXITED(status) ? WEXITSTATUS(status) : -1));
    return text;
}

}  // namespace spillway::identity
