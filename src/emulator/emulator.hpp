#pragma once
/// `spillway emulate`: N Azure OpenAI resources, each on its own port, and an admin port:
///   GET /healthz; GET /stats {"resources":[…]}; GET, POST, DELETE /faults (see emulator/fault.hpp).
///
/// Resources are spread over the io_contexts, one thread each; none shares state with another.
///
/// Ownership: the contexts must outlive the Emulator's last connection: destroy the Emulator first, then the
/// contexts. Thread rule: start() before the contexts run; stop() from any thread. Errors: start() names
/// the address that cannot be listened on.
#include <boost/asio/io_context.hpp>
#include <memory>
#include <span>

#include "base/result.hpp"
#include "config/emulator.hpp"

namespace spillway::emulator {

namespace asio = boost::asio;

class Emulator {
public:
    Emulator(asio::io_context& context, config::EmulatorConfig config);
    /// Resource i lives on contexts[i mod n], the admin port on the first. The contexts do not run dry
    /// before stop().
    Emulator(std::span<asio::io_context* const> contexts, config::EmulatorConfig config);
    Emulator(const Emulator&) = delete;
    Emulator& operator=(const Emulator&) = delete;
    ~Emulator();

    Result<void> start();
    /// Closes all; the contexts run dry soon after.
    void stop();

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace spillway::emulator
