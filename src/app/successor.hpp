#pragma once
/// The process that takes over from this one: the same program, perhaps a newer version, with the same
/// arguments and this process's listening sockets.
///
/// It reports when it is serving, through a socket that only the two share; if it ends before that, this
/// process simply continues. It gets what this process has learned as lines of text
/// (gateway/learned_state.hpp) before it serves, and what this process's clients use from then on until this
/// process ends.
///
/// Ownership: the process outlives this object once it serves. Thread rule: the main thread. Errors: from
/// start().
#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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

/// The sockets are the descriptors from here on, as in sd_listen_fds(3), followed by the predecessor's.
inline constexpr int kFirstSocket = 3;
inline constexpr const char* kSocketsVariable = "SPILLWAY_LISTEN_FDS";
inline constexpr const char* kPredecessorVariable = "SPILLWAY_PREDECESSOR_FD";

/// How this process was started; recorded at start-up, since the file may be replaced later.
struct Program {
    std::string path;
    std::vector<std::string> words;  ///< argv
    [[nodiscard]] static Program of_this_process();
};

class Successor {
public:
    [[nodiscard]] static Result<Successor> start(const Program& program, std::span<const int> sockets);
    /// Tells it what was learned, and waits until it serves; false if it ended or did not serve in time, and
    /// then it is killed with this.
    Task<bool> serves(Loop& loop, Duration patience, std::string learned);
    /// Once it serves: tells it more, as far as it reads. Never waits.
    void tell(std::string_view more);
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    /// Stops it although it serves, like an operator would.
    void stop() noexcept;

private:
    Successor(pid_t pid, FileDescriptor line) : pid_(pid), child_(pid), line_(std::move(line)) {}

    /// False: it is gone, or has stopped reading.
    bool send();

    pid_t pid_;
    ChildProcess child_;  ///< until it serves
    FileDescriptor line_;
    std::string unsent_;
};

/// The other end: the gateway that this process succeeds, if any.
class Predecessor {
public:
    [[nodiscard]] static Predecessor of_environment();
    /// What it has learned; empty if there is none. Waits a second for it.
    [[nodiscard]] std::string learned();
    /// This one serves now.
    void tell_served();
    /// What it tells from then on, whole lines; nullopt once it has ended.
    Task<std::optional<std::string>> more(Loop& loop);

private:
    FileDescriptor line_;
    std::string part_;  ///< of a line
};

}  // namespace spillway::app
