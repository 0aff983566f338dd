#pragma once
/// Opens connections to one host and port: looks the name up, tries its addresses as in RFC 8305 (the next
/// one when the last one failed or has not answered for 250 ms), and performs the TLS handshake if enabled.
///
/// Ownership: destroyed before its Loop. Thread rule: the loop's. Errors: NetError, with the message of DNS,
/// the system or OpenSSL.
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/event.hpp"
#include "base/task.hpp"
#include "http/addresses.hpp"
#include "http/net_error.hpp"
#include "http/tls_transport.hpp"

namespace spillway::http {

/// An HTTP proxy on the way. For TLS it opens a tunnel (CONNECT, RFC 9110 §9.3.6); otherwise the connection
/// is to the proxy, and requests use the absolute-form (RFC 9112 §3.2.2).
struct DialProxy {
    std::string host;
    std::uint16_t port = 80;
    std::string authorization;  ///< value of Proxy-Authorization; empty: none
};

struct DialOptions {
    std::string host;
    std::uint16_t port = 80;
    bool tls = false;
    bool tls_verify = true;
    std::string tls_ca_file;                             ///< empty: the system's
    std::string tls_server_name;                         ///< empty: host
    Duration connect_timeout = std::chrono::seconds(5);  ///< name, TCP and TLS together; zero: no limit
    std::optional<DialProxy> proxy;
};

/// Handle to end an attempt, or several in turn. Outlives them.
class Dial {
public:
    void cancel() noexcept {
        cancelled_ = true;
        changed_.set_later();
    }
    [[nodiscard]] bool cancelled() const noexcept { return cancelled_; }

private:
    friend class Dialer;
    friend class ConnectAttempt;
    Event changed_;  ///< check again
    bool cancelled_ = false;
    bool late_ = false;
};

class Dialer {
public:
    using Connected = NetResult<std::unique_ptr<Transport>>;

    Dialer(Loop& loop, DialOptions options);
    Dialer(const Dialer&) = delete;
    Dialer& operator=(const Dialer&) = delete;
    ~Dialer() = default;

    Task<Connected> connect(Dial& dial);
    /// Looks the name up in advance.
    void look_up() { (void)addresses_->get(mono_now()); }

private:
    Task<NetResult<FileDescriptor>> connect_any(Dial& dial);
    Task<NetResult<void>> open_tunnel(Dial& dial, FileDescriptor& socket);
    [[nodiscard]] NetError refused_by_proxy(const Dial& dial, std::string_view answer) const;
    /// The destination, for messages.
    [[nodiscard]] std::string where() const;
    Task<NetResult<void>> handshake(Dial& dial, TlsTransport& transport);
    NetResult<void> prepare_tls();
    [[nodiscard]] NetError failure(const Dial& dial, NetError::Kind kind, std::string message) const;
    [[nodiscard]] const std::string& tls_name() const noexcept {
        return options_.tls_server_name.empty() ? options_.host : options_.tls_server_name;
    }

    Loop& loop_;
    DialOptions options_;
    std::shared_ptr<Addresses> addresses_;
    TlsContext::Shared tls_;
};

}  // namespace spillway::http
