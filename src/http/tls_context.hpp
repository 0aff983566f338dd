#pragma once
/// What the TLS connections of one listener, or of one origin, have in common: certificates, versions,
/// suites.
///
/// Defaults are Mozilla's intermediate profile (Server Side TLS 5.7). A server's context is shared by all
/// threads, and the keys of its session tickets by the contexts that follow it.
/// Ownership: shared with its connections. Thread rule: any, once made. Errors: make() says which file and
/// why.
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/tls_tickets.hpp"

namespace spillway::http {

struct TlsOptions {
    std::string min_version = "1.2";        ///< "1.2" or "1.3"
    std::string ciphers;                    ///< of TLS 1.2, as OpenSSL lists them; empty: Mozilla's
    std::shared_ptr<TicketKeys> tickets{};  ///< a server's; null: of this context alone
};

class TlsContext {
public:
    using Shared = std::shared_ptr<const TlsContext>;

    /// From PEM files, with ALPN for HTTP/2 (where RFC 9113 §9.2 lets it be spoken) and HTTP/1.1.
    [[nodiscard]] static Result<Shared> server(const std::string& cert_file, const std::string& key_file,
                                               const TlsOptions& options = {});
    /// Trusts `ca_file`, or the system's certificates if that is empty.
    [[nodiscard]] static Result<Shared> client(const std::string& ca_file, const TlsOptions& options = {});

    /// When a server's certificate, or one above it in its file, ends first.
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

/// The last error of OpenSSL's on this thread, and forgets it.
[[nodiscard]] std::string tls_error_text();

}  // namespace spillway::http
