#pragma once
/// What the starters of other programs have in common: posix_spawn(3)'s settings, argv, and a child that does
/// not outlive its owner. Thread rule: plain values. Errors: those of posix_spawn are the caller's to see.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace spillway {

/// The attributes and actions of one posix_spawn(3), released at the end.
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

    /// Of this process signals may be blocked; none is to be in the child.
    int unblock_signals() {
        sigset_t none;
        sigemptyset(&none);
        return posix_spawnattr_setsigmask(&attributes, &none);
    }
    /// Nor ignored or caught.
    int default_signals() {
        sigset_t all;
        sigfillset(&all);
        return posix_spawnattr_setsigdefault(&attributes, &all);
    }

    posix_spawnattr_t attributes{};
    posix_spawn_file_actions_t actions{};
};

/// As argv or environ, while `words` stand.
[[nodiscard]] inline std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> out;
    out.reserve(words.size() + 1);
    for (std::string& word : words) out.push_back(word.data());
    out.push_back(nullptr);
    return out;
}

/// A child that is killed and reaped with this, unless it was waited for or let go.
class ChildProcess {
public:
    ChildProcess() = default;
    /// `leads_group`: what it started goes with it.
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
    /// Its status, as waitpid(2) gives it.
    int wait() noexcept {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = 0;
        return status;
    }
    /// It goes on without this.
    pid_t let_go() noexcept { return std::exchange(pid_, 0); }

private:
    pid_t pid_ = 0;
    bool leads_group_ = false;
};

}  // namespace spillway
