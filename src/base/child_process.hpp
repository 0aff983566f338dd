#pragma once
/// What is needed to start another program: attributes for posix_spawn(3), argv, and a child that does not
/// outlive its owner. Thread rule: plain values. Errors: the caller checks what posix_spawn returns.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace spillway {

/// The attributes and file actions of one posix_spawn(3), freed on destruction.
struct SpawnSetup {
    SpawnSetup() {
        posix_spawnattr_init(&attributes);
        posix_spawn_file_actions_init(&actions);
    }
    SpawnSetup(const SpawnSetup&) = delete;
    SpawnSetup& operator=(const SpawnSetup&) = delete;
    ~SpawnSetup() {
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
    }

    /// The child starts with no signal blocked, whatever this process blocks.
    int unblock_signals() {
        sigset_t none;
        sigemptyset(&none);
        return posix_spawnattr_setsigmask(&attributes, &none);
    }
    /// The child starts with no signal ignored or caught.
    int default_signals() {
        sigset_t all;
        sigfillset(&all);
        return posix_spawnattr_setsigdefault(&attributes, &all);
    }

    posix_spawnattr_t attributes{};
    posix_spawn_file_actions_t actions{};
};

/// For argv or environ; valid while `words` is unchanged.
[[nodiscard]] inline std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> out;
    out.reserve(words.size() + 1);
    for (std::string& word : words) out.push_back(word.data());
    out.push_back(nullptr);
    return out;
}

/// A child that is killed and reaped on destruction, unless it was waited for or let go.
class ChildProcess {
public:
    ChildProcess() = default;
    /// `leads_group`: its whole process group is killed with it.
    explicit ChildProcess(pid_t pid, bool leads_group = false) noexcept
        : pid_(pid), leads_group_(leads_group) {}
    ChildProcess(ChildProcess&& other) noexcept
        : pid_(std::exchange(other.pid_, 0)), leads_group_(other.leads_group_) {}
    ChildProcess& operator=(ChildProcess&&) = delete;
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ~ChildProcess() {
        if (pid_ <= 0) return;
        ::kill(leads_group_ ? -pid_ : pid_, SIGKILL);
        (void)wait();
    }

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    /// Waits for its end; the status is that of waitpid(2).
    int wait() noexcept {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = 0;
        return status;
    }
    /// Gives up ownership: the child keeps running.
    pid_t let_go() noexcept { return std::exchange(pid_, 0); }

private:
    pid_t pid_ = 0;
    bool leads_group_ = false;
};

}  // namespace spillway
