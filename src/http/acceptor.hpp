#pragma once
/// A port that takes connections. Ownership: goes before its Loop. Thread rule: the loop's, listen() before
/// it runs; the functions are anyone's. Errors: name host, port and reason.
#include <optional>
#include <string>
#include <vector>

#include "base/readiness.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "http/endpoint.hpp"

namespace spillway::http {

struct Listen {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: any free port
};

/// Can `where` be bound now? Binds and lets go again. Port 0 is always free.
[[nodiscard]] std::error_code probe(const Listen& where);

/// `count` sockets that listen on one address, among which the system deals connections out (SO_REUSEPORT).
/// The first listens alone before it lets the others in: of two processes that want the same address at the
/// same time, one fails.
[[nodiscard]] Result<std::vector<FileDescriptor>> open_listeners(const Listen& where, std::size_t count);
/// Where a socket listens; nothing: it does not, or is of another kind.
[[nodiscard]] std::optional<Endpoint> listens_at(int socket) noexcept;

class Acceptor {
public:
    static constexpr int default_backlog = 4096;

    struct Accepted {
        std::error_code ec;  ///< IoError::cancelled: it was closed
        FileDescriptor socket;
        Endpoint peer;
    };

    explicit Acceptor(Loop& loop) : loop_(loop) {}

    Result<void> listen(const Listen& where, int backlog = default_backlog);
    /// On a socket that listens already.
    Result<void> listen(FileDescriptor socket);
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }
    /// The next connection. One waiter at a time.
    Task<Accepted> accept();
    /// A connection that waits already; none, with its `ec`: there is no more.
    [[nodiscard]] Accepted accept_now() noexcept;
    void close() noexcept;

private:
    Loop& loop_;
    FileDescriptor socket_;
    std::optional<Readiness> ready_;
    std::uint16_t port_ = 0;
};

}  // namespace spillway::http
