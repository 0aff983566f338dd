#include "app/stack_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include "base/child_process.hpp"
#include "base/clock.hpp"
#include "base/strings.hpp"

namespace spillway::app::stack {
namespace {

std::string read_proc(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string boot_id() {
    return std::string(trim(read_proc("/proc/sys/kernel/random/boot_id")));
}

struct Stat {
    char state = '?';
    std::uint64_t start_time = 0;
};

/// The second field is the program's name in parentheses and may itself hold blanks and parentheses.
std::optional<Stat> read_stat(int pid) {
    const std::string text = read_proc(fmt::format("/proc/{}/stat", pid));
    const std::size_t behind_name = text.rfind(')');
    if (behind_name == std::string::npos) return std::nullopt;
    std::istringstream fields(text.substr(behind_name + 1));
    Stat out;
    fields >> out.state;
    std::string skipped;
    for (int field = 4; field < 22; ++field) fields >> skipped;
    fields >> out.start_time;
    if (!fields) return std::nullopt;
    return out;
}

int prepare(SpawnSetup& setup, const Command& command) {
    constexpr int new_log = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND;
    for (const int failed :
         {setup.unblock_signals(), setup.default_signals(),
          posix_spawnattr_setflags(&setup.attributes,
                                   POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF),
          posix_spawn_file_actions_addopen(&setup.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0),
          posix_spawn_file_actions_addopen(&setup.actions, STDOUT_FILENO, command.log.c_str(), new_log, 0600),
          posix_spawn_file_actions_adddup2(&setup.actions, STDOUT_FILENO, STDERR_FILENO),
          posix_spawn_file_actions_addclosefrom_np(&setup.actions, STDERR_FILENO + 1),
          posix_spawn_file_actions_addchdir_np(&setup.actions, command.folder.c_str())})
        if (failed != 0) return failed;
    return 0;
}

int run(const SpawnSetup& setup, pid_t& pid, const Command& command) {
    std::vector<std::string> words{command.program};
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    return posix_spawn(&pid, command.program.c_str(), &setup.actions, &setup.attributes,
                       pointers_to(words).data(), environ);
}

}  // namespace

std::optional<ProcessId> identify(int pid) {
    if (pid <= 0) return std::nullopt;
    const auto stat = read_stat(pid);
    if (!stat) return std::nullopt;
    return ProcessId{pid, stat->start_time, boot_id()};
}

bool is_running(const ProcessId& process) {
    if (process.pid <= 0) return false;
    const auto stat = read_stat(process.pid);
    return stat && stat->state != 'Z' && stat->state != 'X' && stat->start_time == process.start_time &&
           process.boot == boot_id();
}

Values to_values(const ProcessId& process) {
    return {{"PID", std::to_string(process.pid)},
            {"PID_START_TIME", std::to_string(process.start_time)},
            {"PID_BOOT", process.boot}};
}

std::optional<ProcessId> process_from(const Values& values) {
    const auto text = [&](std::string_view name) {
        const auto at = values.find(name);
        return at == values.end() ? std::string_view{} : std::string_view(at->second);
    };
    const auto pid = parse_int<int>(text("PID"));
    const auto start_time = parse_int<std::uint64_t>(text("PID_START_TIME"));
    if (!pid || *pid <= 0 || !start_time) return std::nullopt;
    return ProcessId{*pid, *start_time, std::string(text("PID_BOOT"))};
}

Result<ProcessId> start(const Command& command) {
    SpawnSetup setup;
    pid_t pid = 0;
    int failed = prepare(setup, command);
    if (failed == 0) failed = run(setup, pid, command);
    if (failed != 0)
        return fail(
            fmt::format("cannot start {}: {}", command.program, std::generic_category().message(failed)));
    // Our own child keeps its number until it is reaped, so this is the one.
    if (auto id = identify(pid)) return *id;
    return fail(fmt::format("cannot see process {} in /proc", pid));
}

std::optional<std::string> how_it_ended(const ProcessId& process) {
    // Seen first, reaped then: so what ends in between is still told how.
    const bool running = is_running(process);
    int status = 0;
    if (::waitpid(process.pid, &status, WNOHANG) == process.pid) {
        if (WIFSIGNALED(status)) return fmt::format("ended by signal {}", WTERMSIG(status));
        return fmt::format("ended with exit status {}", WEXITSTATUS(status));
    }
    if (!running) return "ended";
    return std::nullopt;
}

Stopped stop(const ProcessId& process, std::chrono::milliseconds grace, const std::function<void()>& pause) {
    const auto gone = [&](std::chrono::milliseconds within) {
        const Mono until = mono_now() + within;
        while (!how_it_ended(process)) {
            if (mono_now() >= until) return false;
            pause();
        }
        return true;
    };
    if (!is_running(process)) return Stopped::gone_before;
    ::kill(process.pid, SIGTERM);
    if (gone(grace)) return Stopped::ended;
    if (is_running(process)) ::kill(process.pid, SIGKILL);
    return gone(std::chrono::seconds(5)) ? Stopped::killed : Stopped::still_there;
}

Result<std::string> own_program() {
    std::string path(4096, '\0');
    const ssize_t n = ::readlink("/proc/self/exe", path.data(), path.size());
    if (n <= 0) return fail("cannot read /proc/self/exe");
    path.resize(static_cast<std::size_t>(n));
    // Linux marks a file that was replaced since; the new one is at the same place.
    if (constexpr std::string_view mark = " (deleted)"; path.ends_with(mark))
        path.resize(path.size() - mark.size());
    return path;
}

Result<std::string> build_of(const std::string& program) {
    struct stat file {};
    if (::stat(program.c_str(), &file) != 0)
        return fail(fmt::format("cannot read {}: {}", program, std::generic_category().message(errno)));
    return fmt::format("{}-{}.{:09}", file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec);
}

}  // namespace spillway::app::stack
