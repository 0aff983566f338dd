#pragma once
/// Who a request is from that may bring a key (or a token), a client certificate, or both.
///
/// - A key alone, or with a certificate that is nobody's: whose the key is.
/// - A certificate alone: whom it names.
/// - Both: they must be of the same client. So a key that leaked is of no use with another's certificate, and
/// a
///   mistake does not go unnoticed as a request of the wrong client.
/// - `both_needed` (of the client that was found): one of them is not enough.
///
/// Ownership: views clients and a certificate. Thread rule: plain functions. Errors: `fault`, for the client.
#include <optional>
#include <string>

#include "gateway/clients.hpp"
#include "identity/client_certificates.hpp"

namespace spillway::gateway {

/// What a request shows.
struct Proofs {
    bool key_came = false;
    const Client* by_key = nullptr;  ///< null: the key is nobody's
    const http::PeerCertificate* certificate = nullptr;
    identity::CertificateMatch match{};      ///< of the certificate
    const Client* by_certificate = nullptr;  ///< whom it names
};

struct Proven {
    const Client* client = nullptr;
    std::string fault;  ///< why there is none, if the certificate is the reason
};

[[nodiscard]] Proven who_is(const Proofs& proofs);
/// Whether the client, which needs both, is shown by both.
[[nodiscard]] bool are_both(const Proofs& proofs) noexcept;

}  // namespace spillway::gateway
