#pragma once
/// What a server knows of the verified certificate of a client. Who that is, others decide.
///
/// Ownership: its connection's; lives as long. Thread rule: the connection's thread. Errors: none.
#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace spillway::http {

/// SHA-256 of a certificate.
using CertificateDigest = std::array<unsigned char, 32>;

struct PeerCertificate {
    std::vector<std::string> names;  ///< its subjectAltNames (base/certificate_name.hpp)
    CertificateDigest authority{};   ///< the certificate of the server's that vouches for it
    Wall ends;                       ///< when the first certificate on the way there ends

    /// For whoever looks the names up: what they meant, so that they are looked up once.
    struct Memo {
        std::shared_ptr<const void> where;  ///< in which table; null: in none yet
        std::uint32_t found = 0;
    };
    Memo memo;
};

/// Of a connection whose handshake is done; null: the client showed none. A resumed session knows it by its
/// ticket (http/client_authorities.hpp).
[[nodiscard]] std::unique_ptr<PeerCertificate> peer_certificate(SSL& tls);

}  // namespace spillway::http
