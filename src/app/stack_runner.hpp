#pragma once
/// Carries out the plan of stack_plan.hpp: starts, restarts and stops the services of the local stack, keeps
/// a record of each in the stack's folder, and restores the previous state if a step fails.
///
/// SIGINT and SIGTERM are blocked while a Runner exists: it checks for them between steps, undoes what it has
/// started and returns. Ownership: it refers to its Folder and Environment. Thread rule: for one thread.
#include <signal.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/stack_folder.hpp"
#include "app/stack_process.hpp"
#include "app/stack_services.hpp"

namespace spillway::app::stack {

/// A service's record in the folder.
struct Record {
    ProcessId process;
    std::optional<ServiceSpec> spec;  ///< nullopt if it cannot be read (another version, say)
};

struct Limits {
    std::chrono::milliseconds ready{30'000};  ///< from a start to the first answer
    std::chrono::milliseconds grace{15'000};  ///< from SIGTERM to SIGKILL
};

class Runner {
public:
    using Say = std::function<void(std::string_view line)>;

    Runner(const Folder& folder, std::string program, Limits limits, Say say);
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;
    ~Runner();

    [[nodiscard]] std::vector<Observed> observe(const std::vector<Service>& services) const;
    /// Performs all steps; after an Error, what ran before is restored.
    Result<void> apply(const std::vector<Service>& services, const std::vector<Step>& steps);
    /// Stops the recorded services, the last one first. Reports if there are none.
    Result<void> stop_all();

private:
    struct Before {
        const Service* service = nullptr;
        bool ran = false;
        std::string config_text;  // for a restart
        std::optional<Record> record;
        bool stopped = false;
        bool started = false;
    };

    [[nodiscard]] std::optional<Record> record_of(std::string_view name) const;
    Result<void> write_record(std::string_view name, const ProcessId& process, const ServiceSpec* spec) const;
    Result<void> stop_service(std::string_view name, const ProcessId& process);
    Result<ProcessId> launch(const Service& service, std::string_view config_text, const ServiceSpec* spec);
    Result<void> wait_ready(const Service& service, const ProcessId& process);
    Result<void> go(const std::vector<Step>& steps, std::vector<Before>& before);
    void roll_back(std::vector<Before>& before);
    [[nodiscard]] std::string last_lines(std::string_view name) const;
    void pause();

    const Folder& folder_;
    std::string program_;
    Limits limits_;
    Say say_;
    sigset_t held_back_{};
    sigset_t usual_{};
    bool interrupted_ = false;
};

/// Asks for `path` on this machine; the error says why there was no 200.
[[nodiscard]] Result<void> answers(std::uint16_t port, std::string_view path,
                                   std::chrono::milliseconds timeout);

}  // namespace spillway::app::stack
