#pragma once
/// The authorities whose certificates a server takes from its clients (mutual TLS, RFC 8446 §4.3.2), from a
/// PEM bundle. Each certificate of the bundle is an authority, whether or not it is a root's.
///
/// A client's certificate that cannot be verified, has ended, or is for another use (it has an extended key
/// usage without clientAuth, RFC 5280 §4.2.1.12) ends the handshake with the alert that says so. One that is
/// `required` and not there does, too: so does Envoy (`require_client_certificate`), so that nobody without a
/// certificate reaches the HTTP parser. nginx (`ssl_verify_client on`) ends the handshake in neither case,
/// and answers 400 instead. `optional` is as in both.
///
/// Sessions are resumed only under the same bundle and rule, which are in their context
/// (SSL_CTX_set_session_id_context(3)), and not beyond the end of the certificate that began them: tickets
/// carry that, and who vouched.
/// Ownership: a value; a context keeps what it needs. Thread rule: as for values. Errors: why a bundle cannot
/// be used.
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "http/peer_certificate.hpp"

namespace spillway::http {

class ClientAuthorities {
public:
    [[nodiscard]] static Result<ClientAuthorities> read(const std::string& file);
    ClientAuthorities() = default;

    /// Has a server's context ask for certificates. False: OpenSSL could not.
    [[nodiscard]] bool install(SSL_CTX* context, bool required) const;
    /// SHA-256 of each, sorted.
    [[nodiscard]] const std::vector<CertificateDigest>& digests() const noexcept { return digests_; }

private:
    struct Free {
        void operator()(X509* certificate) const noexcept { X509_free(certificate); }
    };
    std::vector<std::unique_ptr<X509, Free>> certificates_;
    std::vector<CertificateDigest> digests_;
};

}  // namespace spillway::http
