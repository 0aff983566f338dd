#pragma once
/// A whole run: one Worker per thread, their pulses and measurements put together.
///
/// Ownership: the Runner owns its Plan, Workers and threads; its destructor aborts what runs. Thread rule:
/// all functions are for the thread that made it. Errors: start() throws only what the system does when it
/// has no thread to give; what goes wrong with requests is in the statistics.
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
    /// As of Worker, for all.
    void stop();
    void abort();
    [[nodiscard]] Pulse fetch_pulse();

    /// Waits for all to end. The Record has no name, settings and thresholds yet.
    [[nodiscard]] Record finish();

private:
    Plan plan_;
    Mono start_{};
    std::atomic<std::size_t> left_{0};
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::jthread> threads_;
};

}  // namespace spillway::load
