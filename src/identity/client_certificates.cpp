#include "identity/client_certificates.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace spillway::identity {
namespace {

using Finding = CertificateMatch::Finding;

/// A match as a memo's number: an index, or above them a finding without one.
constexpr std::uint32_t kNoClient = 0xfffffff0U;

std::uint32_t packed(CertificateMatch match) noexcept {
    return match.finding == Finding::client ? match.client
                                            : kNoClient + static_cast<std::uint32_t>(match.finding);
}

CertificateMatch unpacked(std::uint32_t number) noexcept {
    if (number < kNoClient) return {Finding::client, number};
    return {static_cast<Finding>(number - kNoClient), 0};
}

}  // namespace

Result<ClientCertificates> ClientCertificates::make(std::span<const std::vector<std::string>> names,
                                                    std::vector<http::CertificateDigest> authorities) {
    ClientCertificates out;
    for (std::uint32_t client = 0; client < names.size(); ++client)
        for (const std::string& name : names[client])
            if (!out.clients_.try_emplace(name, client).second)
                return fail(fmt::format("two clients have the certificate name {}", name));
    out.authorities_ = std::move(authorities);
    return out;
}

CertificateMatch ClientCertificates::find(http::PeerCertificate& certificate) const {
    http::PeerCertificate::Memo& memo = certificate.memo;
    if (memo.where != self_) memo = {self_, packed(look_up(certificate))};
    return unpacked(memo.found);
}

CertificateMatch ClientCertificates::look_up(const http::PeerCertificate& certificate) const {
    if (!std::ranges::binary_search(authorities_, certificate.authority)) return {Finding::untrusted, 0};
    CertificateMatch out;
    for (const std::string& name : certificate.names) {
        const auto found = clients_.find(name);
        if (found == clients_.end()) continue;
        if (out.finding == Finding::client && out.client != found->second) return {Finding::several, 0};
        out = {Finding::client, found->second};
    }
    return out;
}

}  // namespace spillway::identity
