#pragma once
/// Reads a certificate file before a listener uses it.
///
/// Thread rule: a function of its arguments. Errors: why certificate and key cannot be used.
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace spillway::http {

struct CertificateFacts {
    std::string subject;  ///< in the form of RFC 2253
    Wall not_after;
    std::string sha256;  ///< of the certificate, as bytes
};

/// The leaf of the PEM chain in `cert_file`, if the PEM key in `key_file` matches it.
[[nodiscard]] Result<CertificateFacts> read_certificate(const std::string& cert_file,
                                                        const std::string& key_file);

}  // namespace spillway::http
