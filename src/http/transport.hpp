#pragma once
/// A connected socket, plain or with TLS: reads and writes what is possible at once.
///
/// No call blocks. Waiting is done on the descriptor (base/poller.hpp), without holding a buffer.
/// Ownership: owns its socket. Thread rule: one at a time. Errors: in Transfer, and problem() for people.
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "base/file_descriptor.hpp"
#include "http/io_error.hpp"
#include "http/peer_certificate.hpp"

namespace spillway::http {

/// The pieces of one gathered write; they must be valid until it ends.
using Buffers = std::span<std::string_view>;

/// What is left of `buffers` after their first `n` bytes were sent.
[[nodiscard]] inline Buffers behind(Buffers buffers, std::size_t n) noexcept {
    std::size_t i = 0;
    while (i < buffers.size() && n >= buffers[i].size()) n -= buffers[i++].size();
    buffers = buffers.subspan(i);
    if (n > 0) buffers.front().remove_prefix(n);
    return buffers;
}

struct Transfer {
    std::size_t n = 0;
    std::error_code error;
    bool would_wait = false;  ///< nothing at present
    bool more = false;        ///< after a read: there may be more already
};

class Transport {
public:
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    virtual ~Transport() = default;

    [[nodiscard]] int fd() const noexcept { return socket_.get(); }

    virtual Transfer read(std::span<char> space) = 0;
    /// As much as the socket accepts.
    virtual Transfer write(Buffers buffers) = 0;
    /// The socket may have more to read. `ended`: including its end, which will not be reported
    /// again.
    virtual void on_ready(bool /*ended*/) noexcept {}
    /// Performs the next step of TLS's handshake; no bytes are counted.
    virtual Transfer handshake() { return {}; }
    /// Whether there are unread bytes, as far as known without a system call.
    [[nodiscard]] virtual bool has_input() const noexcept = 0;
    /// Declares that nothing more will be written.
    virtual void end_writing() noexcept = 0;
    /// The protocol selected by ALPN (RFC 7301); empty: none.
    [[nodiscard]] virtual std::string_view protocol() const noexcept { return {}; }
    /// The peer's certificate, if this is a server's end, it asked for one, and the handshake is done.
    [[nodiscard]] virtual std::unique_ptr<PeerCertificate> peer_certificate() const { return nullptr; }
    /// Why TLS failed.
    [[nodiscard]] virtual std::string problem() const { return {}; }

    /// Ends both directions; the peer sees a proper end, or a reset if `reset`.
    void shut(bool reset) noexcept;

protected:
    explicit Transport(FileDescriptor socket) noexcept : socket_(std::move(socket)) {}

private:
    FileDescriptor socket_;
};

class PlainTransport final : public Transport {
public:
    explicit PlainTransport(FileDescriptor socket) noexcept : Transport(std::move(socket)) {}

    Transfer read(std::span<char> space) override;
    Transfer write(Buffers buffers) override;
    [[nodiscard]] bool has_input() const noexcept override;
    void end_writing() noexcept override;
};

/// What the socket has.
[[nodiscard]] Transfer read_socket(int fd, std::span<char> space) noexcept;
/// The present errno as a Transfer.
[[nodiscard]] Transfer failed_transfer() noexcept;

}  // namespace spillway::http
