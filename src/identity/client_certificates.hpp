#pragma once
/// Identifies a client of the gateway by its verified certificate: by the names in it, compared as a whole.
///
/// Ownership: values. Thread rule: immutable, shared by all threads; a PeerCertificate, which remembers what
/// was found, is its connection's. Errors: make() returns what is wrong with the configuration.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "base/strings.hpp"
#include "http/peer_certificate.hpp"

namespace spillway::identity {

/// What a certificate says of its client.
struct CertificateMatch {
    enum class Finding : std::uint8_t {
        client,
        nobody,     ///< it has no name that is a client's
        several,    ///< its names are of more clients than one
        untrusted,  ///< who vouched for it is no authority any more
    };
    Finding finding = Finding::nobody;
    std::uint32_t client = 0;  ///< its index; only if one was found
};

class ClientCertificates {
public:
    /// By client, the names in the form of base/certificate_name.hpp; `authorities` sorted.
    [[nodiscard]] static Result<ClientCertificates> make(std::span<const std::vector<std::string>> names,
                                                         std::vector<http::CertificateDigest> authorities);
    ClientCertificates() = default;

    /// Looks the names up once for each connection and table.
    [[nodiscard]] CertificateMatch find(http::PeerCertificate& certificate) const;

private:
    [[nodiscard]] CertificateMatch look_up(const http::PeerCertificate& certificate) const;

    std::unordered_map<std::string, std::uint32_t, StringHash, std::equal_to<>> clients_;
    std::vector<http::CertificateDigest> authorities_;
    /// What a certificate's memo tells tables apart by; it keeps that alive, so no later one is the same.
    std::shared_ptr<const char> self_ = std::make_shared<const char>();
};

}  // namespace spillway::identity
