#include "http/client_authorities.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/certificate_name.hpp"
#include "http/tls_context.hpp"

namespace spillway::http {
namespace {

CertificateDigest digest_of(const X509* certificate) {
    CertificateDigest out{};
    unsigned size = 0;
    X509_digest(certificate, EVP_sha256(), out.data(), &size);
    return out;
}

/// What a ticket keeps of the chain, which a session forgets.
struct Vouched {
    CertificateDigest authority{};
    std::int64_t ends = 0;  ///< seconds since 1970

    static std::optional<Vouched> of_chain(const SSL* tls) {
        const STACK_OF(X509)* const chain = SSL_get0_verified_chain(tls);
        if (chain == nullptr || sk_X509_num(chain) == 0) return std::nullopt;
        Vouched out{digest_of(sk_X509_value(chain, sk_X509_num(chain) - 1)), 0};
        Wall ends = Wall::max();
        for (int i = 0; i < sk_X509_num(chain); ++i)
            ends = std::min(ends, certificate_end(sk_X509_value(chain, i)));
        out.ends = std::chrono::floor<std::chrono::seconds>(ends).time_since_epoch().count();
        return out;
    }
    static std::optional<Vouched> of_session(SSL_SESSION* session) {
        void* data = nullptr;
        std::size_t size = 0;
        if (session == nullptr || SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1 ||
            size != sizeof(Vouched))
            return std::nullopt;
        Vouched out;
        std::memcpy(&out, data, sizeof out);
        return out;
    }
    [[nodiscard]] Wall end() const noexcept { return Wall(std::chrono::seconds(ends)); }
};
static_assert(sizeof(Vouched) == 40);

int write_ticket(SSL* tls, void*) {
    const auto vouched = Vouched::of_chain(tls);
    if (!vouched) return 1;  // no certificate, or a resumed session that has it
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(tls), &*vouched, sizeof *vouched);
}

SSL_TICKET_RETURN read_ticket(SSL* tls, SSL_SESSION* session, const unsigned char*, std::size_t,
                              SSL_TICKET_STATUS status, void*) {
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (SSL_SESSION_get0_peer(session) != nullptr) {
        const auto vouched = Vouched::of_session(session);
        if (!vouched || vouched->end() <= wall_now()) return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    // RFC 8446 §C.4: a client uses a ticket once, so it needs the next.
    const bool last = status == SSL_TICKET_SUCCESS && SSL_version(tls) < TLS1_3_VERSION;
    return last ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

void add_names(std::vector<std::string>& out, X509* certificate) {
    struct FreeNames {
        void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
    };
    const std::unique_ptr<GENERAL_NAMES, FreeNames> names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        int type = 0;
        const void* const value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
        if (type != GEN_DNS && type != GEN_URI && type != GEN_EMAIL) continue;
        const auto* const text = static_cast<const ASN1_STRING*>(value);
        const std::string_view bytes(
            reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),  // NOLINT(*-reinterpret-cast)
            static_cast<std::size_t>(ASN1_STRING_length(text)));
        const auto kind = type == GEN_DNS   ? CertificateNameKind::dns
                          : type == GEN_URI ? CertificateNameKind::uri
                                            : CertificateNameKind::email;
        if (auto name = certificate_name(kind, bytes)) out.push_back(std::move(*name));
    }
}

}  // namespace

Result<ClientAuthorities> ClientAuthorities::read(const std::string& file) {
    ERR_clear_error();
    struct FreeBio {
        void operator()(BIO* bio) const noexcept { BIO_free_all(bio); }
    };
    const std::unique_ptr<BIO, FreeBio> in(BIO_new_file(file.c_str(), "r"));
    if (!in) return fail(fmt::format("cannot read client_ca {}: {}", file, tls_error_text()));
    ClientAuthorities out;
    while (X509* const one = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
        out.certificates_.emplace_back(one);
        out.digests_.push_back(digest_of(one));
    }
    const unsigned long last = ERR_peek_last_error();
    const bool ended = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
    const std::string why = tls_error_text();
    if (!ended) return fail(fmt::format("cannot use client_ca {}: {}", file, why));
    if (out.certificates_.empty()) return fail(fmt::format("there is no certificate in client_ca {}", file));
    std::ranges::sort(out.digests_);
    const auto same = std::ranges::unique(out.digests_);
    out.digests_.erase(same.begin(), same.end());
    return out;
}

bool ClientAuthorities::install(SSL_CTX* context, bool required) const {
    X509_STORE* const store = SSL_CTX_get_cert_store(context);
    for (const auto& one : certificates_)
        if (X509_STORE_add_cert(store, one.get()) != 1 || SSL_CTX_add_client_CA(context, one.get()) != 1)
            return false;
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_verify(
        context, required ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER, nullptr);
    std::string all(required ? "required" : "optional");
    for (const CertificateDigest& digest : digests_) all.append(digest.begin(), digest.end());
    std::array<unsigned char, SSL_MAX_SID_CTX_LENGTH> id{};
    static_assert(SSL_MAX_SID_CTX_LENGTH == 32);
    return EVP_Digest(all.data(), all.size(), id.data(), nullptr, EVP_sha256(), nullptr) == 1 &&
           SSL_CTX_set_session_id_context(context, id.data(), id.size()) == 1 &&
           SSL_CTX_set_session_ticket_cb(context, write_ticket, read_ticket, nullptr) == 1;
}

std::unique_ptr<PeerCertificate> peer_certificate(SSL& tls) {
    X509* const leaf = SSL_get0_peer_certificate(&tls);
    if (leaf == nullptr || SSL_get_verify_result(&tls) != X509_V_OK) return nullptr;
    auto vouched = Vouched::of_chain(&tls);
    if (!vouched) vouched = Vouched::of_session(SSL_get_session(&tls));
    if (!vouched) return nullptr;
    auto out = std::make_unique<PeerCertificate>();
    out->authority = vouched->authority;
    out->ends = vouched->end();
    add_names(out->names, leaf);
    return out;
}

}  // namespace spillway::http
