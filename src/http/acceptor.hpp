#pragma once
/// Accepts connections on a port. Ownership: destroyed before its Loop. Thread rule: the loop's, with
/// listen() before it runs; the free functions are safe everywhere. Errors: with host, port and reason.
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

/// Whether `where` can be bound now; binds and releases it. Port 0 always can.
[[nodiscard]] std::error_code probe(const Listen& where);

/// `count` sockets that listen on one address, among which the kernel distributes connections (SO_REUSEPORT).
/// The first is bound exclusively before the others join: of two processes that want the same address at the
/// same time, one fails.
[[nodiscard]] Result<std::vector<FileDescriptor>> open_listeners(const Listen& where, std::size_t count);
/// Where a socket listens; nullopt if it does not, or is of another kind.
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
    /// Uses a socket that is listening already.
    Result<void> listen(FileDescriptor socket);
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }
    /// The next connection. One waiter at a time.
    Task<Accepted> accept();
    /// A connection that is waiting already; with `ec` set if there is none.
    [[nodiscard]] Accepted accept_now() noexcept;
    void close() noexcept;

private:
    Loop& loop_;
    FileDescriptor socket_;
    std::optional<Readiness> ready_;
    std::uint16_t port_ = 0;
};

}  // namespace spillway::http
