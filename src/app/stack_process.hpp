#pragma once
/// Background processes on Linux: starts, recognizes and ends them, and finds who is using a port.
///
/// A process is identified by its id, its start time and the machine's boot id, so that a reused number is
/// not mistaken for it (proc(5): field 22 of /proc/PID/stat). Thread rule: for one thread. Errors: values.
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/stack_values.hpp"
#include "base/result.hpp"

namespace spillway::app::stack {

struct ProcessId {
    int pid = 0;
    std::uint64_t start_time = 0;  ///< clock ticks since boot
    std::string boot;
    friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

/// The identity of a process that exists now.
[[nodiscard]] std::optional<ProcessId> identify(int pid);
/// Whether the same process still exists, and is not only waiting to be reaped.
[[nodiscard]] bool is_running(const ProcessId& process);

[[nodiscard]] Values to_values(const ProcessId& process);
[[nodiscard]] std::optional<ProcessId> process_from(const Values& values);

struct Command {
    std::string program;
    std::vector<std::string> arguments;
    std::string folder;  ///< its working directory
    std::string log;     ///< receives its output; truncated, mode 0600
};
/// Starts it in a new session (setsid), without a terminal, with no signal blocked and no open file except
/// standard input (/dev/null) and output.
[[nodiscard]] Result<ProcessId> start(const Command& command);

/// How a process started here has ended, for the user; nullopt if it has not.
[[nodiscard]] std::optional<std::string> how_it_ended(const ProcessId& process);

enum class Stopped : std::uint8_t { gone_before, ended, killed, still_there };
/// SIGTERM, and after `grace` SIGKILL. Calls `pause` between checks.
[[nodiscard]] Stopped stop(const ProcessId& process, std::chrono::milliseconds grace,
                           const std::function<void()>& pause);

/// The path of this process's program, to start it again.
[[nodiscard]] Result<std::string> own_program();
/// Identifies a build by the file's size and modification time.
[[nodiscard]] Result<std::string> build_of(const std::string& program);

/// Why 127.0.0.1:`port` cannot be used now, or nullopt. Names its owner, if /proc allows.
[[nodiscard]] std::optional<std::string> port_obstacle(std::uint16_t port);

}  // namespace spillway::app::stack
