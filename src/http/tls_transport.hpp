#pragma once
/// A connected socket with TLS on top, by OpenSSL.
///
/// OpenSSL reads and writes the socket itself, so that bytes are copied once. It reads as much as there is,
/// and not again until the socket is ready; while it waits it holds no buffer. The pieces of a gathered write
/// share records. After a refused certificate what
/// still comes can be read, unread by TLS, so that the alert that says why is not lost with a reset.
/// Ownership, thread rule and errors: as for Transport.
#include <openssl/ssl.h>

#include "http/tls_context.hpp"
#include "http/transport.hpp"

namespace spillway::http {

/// The peer that a client expects.
struct TlsPeer {
    std::string name;       ///< a host's name, or an address
    bool verify = true;     ///< require a valid certificate for that name
    std::string protocols;  ///< to offer, in the form of ALPN (RFC 7301 §3.1)
};

class TlsTransport final : public Transport {
public:
    /// The server's end.
    TlsTransport(FileDescriptor socket, TlsContext::Shared context);
    /// The client's end.
    TlsTransport(FileDescriptor socket, TlsContext::Shared context, const TlsPeer& peer);

    Transfer handshake() override;
    Transfer read(std::span<char> space) override;
    Transfer write(Buffers buffers) override;
    void on_ready(bool ended) noexcept override {
        socket_is_empty_ = false;
        ended_ = ended_ || ended;
    }
    [[nodiscard]] bool has_input() const noexcept override;
    void end_writing() noexcept override;
    [[nodiscard]] std::string_view protocol() const noexcept override;
    [[nodiscard]] std::unique_ptr<PeerCertificate> peer_certificate() const override;
    [[nodiscard]] std::string problem() const override { return problem_; }

private:
    struct Free {
        void operator()(SSL* tls) const noexcept { SSL_free(tls); }
    };
    struct Bio;

    void open();
    Transfer outcome(int returned);

    TlsContext::Shared context_;
    std::unique_ptr<SSL, Free> tls_;
    std::string problem_;
    bool refused_ = false;          ///< the peer's certificate: what still comes is thrown away
    bool ended_ = false;            ///< the peer has closed; its end follows what it sent
    bool socket_is_empty_ = false;  ///< the last read got everything; on_ready() says when there may be more
};

}  // namespace spillway::http
