#include "gateway/caller_proofs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace spillway::gateway {
namespace {

using Finding = identity::CertificateMatch::Finding;

constexpr std::size_t kNamesTold = 4;

std::string fault_of_certificate(const Proofs& proofs) {
    switch (proofs.match.finding) {
        case Finding::several:
            return "the names of the client certificate are of several clients.";
        case Finding::untrusted:
            return "the authority of the client certificate is not trusted any more.";
        case Finding::client:
        case Finding::nobody:
            break;
    }
    const auto& names = proofs.certificate->names;
    if (names.empty())
        return "the client certificate has no name (subjectAltName of DNS, URI or e-mail; the common name is "
               "none), and the request carries no key.";
    return fmt::format("no client has a name of the client certificate ({}), and the request carries no key.",
                       fmt::join(std::span(names).first(std::min(names.size(), kNamesTold)), ", "));
}

}  // namespace

Proven who_is(const Proofs& proofs) {
    if (proofs.certificate == nullptr) return {proofs.by_key, {}};
    if (!proofs.key_came) {
        if (proofs.by_certificate == nullptr) return {nullptr, fault_of_certificate(proofs)};
        return {proofs.by_certificate, {}};
    }
    if (proofs.by_certificate == nullptr) return {proofs.by_key, {}};
    const std::string_view owner = proofs.by_certificate->account->name();
    if (proofs.by_key == nullptr)
        return {
            nullptr,
            fmt::format("the key or token is not valid, though the client certificate is that of '{}'. Leave "
                        "the key out, or give one of that client.",
                        owner)};
    if (proofs.by_key->account != proofs.by_certificate->account)
        return {
            nullptr,
            fmt::format("the key or token is one of '{}', the client certificate is that of '{}': both must "
                        "be of the same client.",
                        proofs.by_key->account->name(), owner)};
    return {proofs.by_key, {}};
}

bool are_both(const Proofs& proofs) noexcept {
    return proofs.by_key != nullptr && proofs.by_certificate != nullptr;
}

}  // namespace spillway::gateway
