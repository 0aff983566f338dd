#pragma once
/// A port that takes connections. Ownership: goes before its Loop. Thread rule: the loop's, listen() before
/// it runs. Errors: listen() names host, port and reason.
#include <optional>
#include <string>

#include "base/readiness.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "http/endpoint.hpp"

namespace spillway::http {

struct Listen {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: any free port
    bool reuse_port = true;  ///< let several share it
};

/// Can `where` be bound by this process alone? Binds without SO_REUSEPORT and lets go again: with it, a
/// second process of the same user would share the port unnoticed. Port 0 is always free.
[[nodiscard]] std::error_code probe(const Listen& where);

class Acceptor {
public:
    struct Accepted {
        std::error_code ec;  ///< IoError::cancelled: it was closed
        FileDescriptor socket;
        Endpoint peer;
    };

    explicit Acceptor(Loop& loop) : loop_(loop) {}

    Result<void> listen(const Listen& where, int backlog = 4096);
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }
    /// The next connection. One waiter at a time.
    Task<Accepted> accept();
    void close() noexcept;

private:
    Loop& loop_;
    FileDescriptor socket_;
    std::optional<Readiness> ready_;
    std::uint16_t port_ = 0;
};

}  // namespace spillway::http
