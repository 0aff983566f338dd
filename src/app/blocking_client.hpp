#pragma once
/// A blocking connection for checks by hand: the system's resolver, TCP, OpenSSL, one request.
///
/// Ownership: owns its socket and session. Thread rule: one thread. Errors: what failed, in words.
#include <netdb.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "config/backend.hpp"

namespace spillway::app {

struct BlockingAnswer {
    int status = 0;
    std::string body;  ///< decoded
};

class BlockingClient {
public:
    explicit BlockingClient(const config::BackendConfig& backend) : backend_(backend) {}
    BlockingClient(const BlockingClient&) = delete;
    BlockingClient& operator=(const BlockingClient&) = delete;
    ~BlockingClient();

    /// The host it connects to: the backend, or its proxy.
    [[nodiscard]] const std::string& host() const noexcept;
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// The addresses of host(), as text.
    Result<std::string> look_up();
    /// The address that answered.
    Result<std::string> connect();
    /// Makes the backend's proxy, if any, open a tunnel; after connect().
    Result<std::string> open_tunnel();
    /// Returns version and cipher. Verifies like the gateway.
    Result<std::string> handshake();
    /// When the server's certificate expires; after handshake().
    [[nodiscard]] Result<Wall> certificate_end() const;
    /// GET `target` with `fields` (complete lines); reads the whole answer, at most 4 MiB.
    Result<BlockingAnswer> get(std::string_view target, std::string_view fields);

private:
    bool send_all(std::string_view bytes);
    Result<std::string> read_all();

    template <auto Free>
    struct Freed {
        template <class T>
        void operator()(T* pointer) const noexcept {
            Free(pointer);
        }
    };

    const config::BackendConfig& backend_;
    std::unique_ptr<addrinfo, Freed<::freeaddrinfo>> addresses_;
    int socket_ = -1;
    std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
    std::unique_ptr<SSL, Freed<SSL_free>> tls_;
};

}  // namespace spillway::app
