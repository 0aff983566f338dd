#pragma once
/// The process that takes over from this one: the same program, perhaps a newer one by now, with the same
/// arguments, and with this one's listening sockets.
///
/// It says when it serves, through a socket that only the two have; if it ends before that, this one goes on
/// as if nothing had been. What this one has learned is sent to it as lines of text.
///
/// Ownership: the process outlives this object once it serves. Thread rule: the main thread. Errors: start()
/// says why not.
#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/child_process.hpp"
#include "base/clock.hpp"
#include "base/file_descriptor.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

namespace spillway {
class Loop;
}

namespace spillway::app {

/// Descriptors from here on are the sockets, as in sd_listen_fds(3); behind them, the one to the predecessor.
inline constexpr int kFirstSocket = 3;
inline constexpr const char* kSocketsVariable = "SPILLWAY_LISTEN_FDS";
inline constexpr const char* kPredecessorVariable = "SPILLWAY_PREDECESSOR_FD";

/// How this process was started, to be noted at the start: the file may be another one later.
struct Program {
    std::string path;
    std::vector<std::string> words;  ///< argv
    [[nodiscard]] static Program of_this_process();
};

class Successor {
public:
    [[nodiscard]] static Result<Successor> start(const Program& program, std::span<const int> sockets,
                                                 std::string_view learned);
    /// Waits until it serves; false: it ended, or did not in time, and goes with this.
    Task<bool> serves(Loop& loop, Duration patience);
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    /// It serves, but is not wanted any more: ends it as an operator would.
    void stop() noexcept;

private:
    Successor(pid_t pid, FileDescriptor line) : pid_(pid), child_(pid), line_(std::move(line)) {}

    pid_t pid_;
    ChildProcess child_;  ///< until it serves
    FileDescriptor line_;
};

/// The other end: the gateway that this process takes over from, if there is one.
class Predecessor {
public:
    [[nodiscard]] static Predecessor of_environment();
    /// What it has learned; empty if there is none.
    [[nodiscard]] std::string learned();
    /// This one serves now.
    void tell_served();

private:
    FileDescriptor line_;
};

}  // namespace spillway::app
