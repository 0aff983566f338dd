#pragma once
/// Background processes on Linux: starting one, knowing it again later, ending it, and who has a port.
///
/// A process is known by its id, its start time and the machine's boot id, so that a number used again is not
/// taken for it (proc(5): field 22 of /proc/PID/stat). Thread rule: for one thread. Errors: values.
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

/// Of a process that is there now.
[[nodiscard]] std::optional<ProcessId> identify(int pid);
/// Still there, the same, and not only waiting to be reaped.
[[nodiscard]] bool is_running(const ProcessId& process);

[[nodiscard]] Values to_values(const ProcessId& process);
[[nodiscard]] std::optional<ProcessId> process_from(const Values& values);

struct Command {
    std::string program;
    std::vector<std::string> arguments;
    std::string folder;  ///< its working directory
    std::string log;     ///< takes its output; truncated, mode 0600
};
/// Starts it in a session of its own (setsid), with no terminal, no signal blocked and no open file but
/// standard input (/dev/null) and output.
[[nodiscard]] Result<ProcessId> start(const Command& command);

/// If a process started here has ended: how, for the user.
[[nodiscard]] std::optional<std::string> how_it_ended(const ProcessId& process);

enum class Stopped : std::uint8_t { gone_before, ended, killed, still_there };
/// SIGTERM, and after `grace` SIGKILL. `pause` is called between looks.
[[nodiscard]] Stopped stop(const ProcessId& process, std::chrono::milliseconds grace,
                           const std::function<void()>& pause);

/// The program this process runs, as a path that can be started again.
[[nodiscard]] Result<std::string> own_program();
/// Changes when the file is rebuilt: its size and time of change.
[[nodiscard]] Result<std::string> build_of(const std::string& program);

/// Why nobody can listen on 127.0.0.1:`port` now, or nothing. Names who has it, where /proc allows.
[[nodiscard]] std::optional<std::string> port_obstacle(std::uint16_t port);

}  // namespace spillway::app::stack
