#pragma once
/// What a certificate file says, before a listener uses it.
///
/// Thread rule: a function of its arguments. Errors: why the pair cannot be used.
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace spillway::http {

struct CertificateFacts {
    std::string subject;  ///< as RFC 2253 writes names
    Wall not_after;
};

/// The leaf of the PEM chain in `cert_file`, if the PEM key in `key_file` is its own.
[[nodiscard]] Result<CertificateFacts> read_certificate(const std::string& cert_file,
                                                        const std::string& key_file);

}  // namespace spillway::http
