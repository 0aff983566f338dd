#pragma once
/// `spillway emulate`: N Azure OpenAI resources, each on its own port, and an admin port:
///   GET /healthz; GET /stats {"resources":[…]}; GET, POST, DELETE /faults (see emulator/fault.hpp).
///
/// Resources are spread over the loops, one thread each; none shares state with another.
///
/// Ownership: the loops must outlive the Emulator's last connection: destroy the Emulator first, then the
/// loops. Thread rule: start() before the loops run; stop() from any thread. Errors: start() names
/// the address that cannot be listened on.
#include <memory>
#include <span>

#include "base/loop.hpp"
#include "base/result.hpp"
#include "config/emulator.hpp"

namespace spillway::emulator {

class Emulator {
public:
    Emulator(Loop& loop, config::EmulatorConfig config);
    /// Resource i runs on loops[i mod n], the admin port on the first. The loops keep running
    /// until stop().
    Emulator(std::span<Loop* const> loops, config::EmulatorConfig config);
    Emulator(const Emulator&) = delete;
    Emulator& operator=(const Emulator&) = delete;
    ~Emulator();

    Result<void> start();
    /// Closes everything; the loops return soon after.
    void stop();

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace spillway::emulator
