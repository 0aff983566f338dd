#pragma once
/// Shared by the TLS connections of one listener or one origin: certificates, versions and cipher
/// suites.
///
/// The defaults are Mozilla's intermediate profile (Server Side TLS 5.7). All threads share a server's
/// context, and the contexts that replace it share the keys of its session tickets.
/// Ownership: shared with its connections. Thread rule: any, once constructed. Errors: which file cannot be
/// used, and why.
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/tls_tickets.hpp"

namespace spillway::http {

struct TlsOptions {
    std::string min_version = "1.2";        ///< "1.2" or "1.3"
    std::string ciphers;                    ///< for TLS 1.2, in OpenSSL's notation; empty: Mozilla's
    std::shared_ptr<TicketKeys> tickets{};  ///< for a server; null: only for this context
    /// For a server: whose certificates it takes from clients, in a PEM file; empty: it asks for none.
    std::string client_ca{};
    bool needs_client_certificate = false;  ///< … and no handshake is done without one
};

class TlsContext {
public:
    using Shared = std::shared_ptr<const TlsContext>;

    /// From PEM files, with ALPN for HTTP/2 (where RFC 9113 §9.2 permits it) and HTTP/1.1.
    [[nodiscard]] static Result<Shared> server(const std::string& cert_file, const std::string& key_file,
                                               const TlsOptions& options = {});
    /// Trusts `ca_file`, or the system's certificates if that is empty.
    [[nodiscard]] static Result<Shared> client(const std::string& ca_file, const TlsOptions& options = {});

    /// The earliest expiry of a server's certificate and those above it in its file.
    [[nodiscard]] Wall ends() const noexcept { return ends_; }
    [[nodiscard]] SSL_CTX* native() const noexcept { return context_.get(); }

private:
    struct Free {
        void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
    };
    TlsContext() = default;
    [[nodiscard]] static Result<std::shared_ptr<TlsContext>> make(const SSL_METHOD* method,
                                                                  const TlsOptions& options);

    std::shared_ptr<TicketKeys> tickets_;
    std::unique_ptr<SSL_CTX, Free> context_;
    Wall ends_ = Wall::max();
};

/// When a certificate ends; never, if it does not say.
[[nodiscard]] Wall certificate_end(const X509* certificate) noexcept;
/// Returns and clears OpenSSL's last error on this thread.
[[nodiscard]] std::string tls_error_text();

}  // namespace spillway::http
