#pragma once
/// A whole run: one Worker per thread, with their pulses and measurements combined.
///
/// Ownership: the Runner owns its Plan, Workers and threads; its destructor aborts what is running. Thread
/// rule: only for the thread that constructed it. Errors: start() throws std::system_error if no thread can
/// be created; failed requests are in the statistics.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "load/plan.hpp"
#include "load/record.hpp"
#include "load/worker.hpp"

namespace spillway::load {

class Runner {
public:
    explicit Runner(Plan plan);
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;
    ~Runner();

    void start();
    [[nodiscard]] bool running() const noexcept { return left_.load() > 0; }
    [[nodiscard]] Duration elapsed() const noexcept { return mono_now() - start_; }
    /// As in Worker, for all of them.
    void stop();
    void abort();
    [[nodiscard]] Pulse fetch_pulse();

    /// Waits for all to end. The Record lacks name, settings and thresholds.
    [[nodiscard]] Record finish();

private:
    Plan plan_;
    Mono start_{};
    std::atomic<std::size_t> left_{0};
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::jthread> threads_;
};

}  // namespace spillway::load
