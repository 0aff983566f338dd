#include "http/tls_context.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <span>

#include "base/wall_time.hpp"
#include "http/client_authorities.hpp"

namespace spillway::http {

namespace {
constexpr const char* intermediate_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";
constexpr const char* intermediate_groups = "X25519:prime256v1:secp384r1";

constexpr std::array<unsigned char, 12> protocols{2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/// RFC 9113 appendix A forbids all suites without ephemeral keys or without authenticated encryption.
bool good_for_http2(const SSL& tls) noexcept {
    if (SSL_version(&tls) >= TLS1_3_VERSION) return true;
    const SSL_CIPHER* const cipher = SSL_get_pending_cipher(&tls);
    if (cipher == nullptr || SSL_version(&tls) < TLS1_2_VERSION) return false;
    const int exchange = SSL_CIPHER_get_kx_nid(cipher);
    return SSL_CIPHER_is_aead(cipher) == 1 && (exchange == NID_kx_ecdhe || exchange == NID_kx_dhe);
}

/// By now version and suite are agreed on.
int select_protocol(SSL* tls, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned in_size, void*) {
    constexpr std::size_t h2_size = 3;
    std::span<const unsigned char> own(protocols);
    if (!good_for_http2(*tls)) own = own.subspan(h2_size);
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, own.data(), static_cast<unsigned>(own.size()), in,
                              in_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 §3.2
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/// Names a ticket's key, and readies its cipher and authentication (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)).
int use_ticket_key(SSL* tls, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                   int closes) {
    auto& tickets = *static_cast<TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls)));
    TicketKey key;
    int done = 1;
    if (closes == 1) {
        key = tickets.current(wall_now());
        std::ranges::copy(key.name, name);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    } else {
        const auto found = tickets.find({name, key.name.size()}, wall_now());
        if (!found) return 0;  // a full handshake
        key = found->key;
        done = found->is_current ? 1 : 2;
    }
    std::string digest = "SHA256";
    const std::array<OSSL_PARAM, 3> of_mac{
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    if (EVP_MAC_CTX_set_params(mac, of_mac.data()) != 1) return -1;
    if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, closes) != 1) return -1;
    return done;
}

Wall first_end(SSL_CTX* context) noexcept {
    Wall ends = certificate_end(SSL_CTX_get0_certificate(context));
    STACK_OF(X509)* chain = nullptr;
    SSL_CTX_get0_chain_certs(context, &chain);
    for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i)
        ends = std::min(ends, certificate_end(sk_X509_value(chain, i)));
    return ends;
}
}  // namespace

Wall certificate_end(const X509* certificate) noexcept {
    std::tm time{};
    if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1)
        return Wall::max();
    return wall_at(::timegm(&time));
}

std::string tls_error_text() {
    const unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    if (code == 0) return "unknown error";
    if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));  // NOLINT(*-mt-unsafe)
    const char* const reason = ERR_reason_error_string(code);
    return reason != nullptr ? reason : fmt::format("error {:#x}", code);
}

Result<std::shared_ptr<TlsContext>> TlsContext::make(const SSL_METHOD* method, const TlsOptions& options) {
    ERR_clear_error();
    std::shared_ptr<TlsContext> out(new TlsContext);  // NOLINT(*-owning-memory): the constructor is private
    out->context_.reset(SSL_CTX_new(method));
    SSL_CTX* const context = out->context_.get();
    if (context == nullptr) return fail("cannot use TLS: " + tls_error_text());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_read_ahead(context, 1);  // one system call for a record instead of two
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets need none
    if (options.min_version != "1.2" && options.min_version != "1.3")
        return fail(
            fmt::format("TLS {} is not a version that can be the least: 1.2 or 1.3", options.min_version));
    SSL_CTX_set_min_proto_version(context, options.min_version == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION);
    const char* const ciphers = options.ciphers.empty() ? intermediate_ciphers : options.ciphers.c_str();
    if (SSL_CTX_set_cipher_list(context, ciphers) != 1)
        return fail(fmt::format("cannot use TLS ciphers {}: {}", ciphers, tls_error_text()));
    SSL_CTX_set1_groups_list(context, intermediate_groups);
    return out;
}

Result<TlsContext::Shared> TlsContext::server(const std::string& cert_file, const std::string& key_file,
                                              const TlsOptions& options) {
    auto made = make(TLS_server_method(), options);
    if (!made) return made.error();
    SSL_CTX* const context = (*made)->native();
    if (SSL_CTX_use_certificate_chain_file(context, cert_file.c_str()) != 1)
        return fail(fmt::format("cannot use TLS certificate {}: {}", cert_file, tls_error_text()));
    if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
        return fail(fmt::format("cannot use TLS key {}: {}", key_file, tls_error_text()));
    SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
    SSL_CTX_set_dh_auto(context, 1);  // groups of RFC 7919, as large as the key is strong
    (*made)->tickets_ = options.tickets ? options.tickets : std::make_shared<TicketKeys>();
    SSL_CTX_set_app_data(context, (*made)->tickets_.get());
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, use_ticket_key);
    if (!options.client_ca.empty()) {
        const auto authorities = ClientAuthorities::read(options.client_ca);
        if (!authorities) return authorities.error();
        if (!authorities->install(context, options.needs_client_certificate))
            return fail(fmt::format("cannot use client_ca {}: {}", options.client_ca, tls_error_text()));
    }
    (*made)->ends_ = first_end(context);
    return Shared(std::move(*made));
}

Result<TlsContext::Shared> TlsContext::client(const std::string& ca_file, const TlsOptions& options) {
    auto made = make(TLS_client_method(), options);
    if (!made) return made.error();
    SSL_CTX* const context = (*made)->native();
    const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                       : SSL_CTX_load_verify_file(context, ca_file.c_str());
    if (loaded != 1) return fail(fmt::format("cannot load certificates {}: {}", ca_file, tls_error_text()));
    return Shared(std::move(*made));
}

}  // namespace spillway::http
