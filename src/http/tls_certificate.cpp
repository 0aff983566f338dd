#include "http/tls_certificate.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

#include "http/tls_context.hpp"

namespace spillway::http {
namespace {

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* pointer) const noexcept {
        Free(pointer);
    }
};
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;

std::string reason() {
    const auto code = ERR_peek_error();
    const char* text = code == 0 ? nullptr : ERR_reason_error_string(code);
    ERR_clear_error();
    return text == nullptr ? "is not usable" : text;
}

std::string subject_of(const X509* leaf) {
    const Bio out(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(out.get(), X509_get_subject_name(leaf), 0, XN_FLAG_RFC2253);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(std::max(size, 0L))};
}

std::string sha256_of(const X509* leaf) {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    if (X509_digest(leaf, EVP_sha256(), reinterpret_cast<unsigned char*>(digest.data()), &size) != 1)
        size = 0;
    digest.resize(size);
    return digest;
}

}  // namespace

Result<CertificateFacts> read_certificate(const std::string& cert_file, const std::string& key_file) {
    ERR_clear_error();
    const Context context(SSL_CTX_new(TLS_server_method()));
    if (!context) return fail("OpenSSL offers no TLS");
    if (SSL_CTX_use_certificate_chain_file(context.get(), cert_file.c_str()) != 1)
        return fail(fmt::format("cannot use TLS certificate {}: {}", cert_file, reason()));
    if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1)
        return fail(fmt::format("cannot use TLS key {}: {}", key_file, reason()));
    if (SSL_CTX_check_private_key(context.get()) != 1)
        return fail(fmt::format("the TLS key {} is not that of the certificate {}", key_file, cert_file));
    const X509* leaf = SSL_CTX_get0_certificate(context.get());
    const Wall end = certificate_end(leaf);
    if (end == Wall::max())
        return fail(fmt::format("the TLS certificate {} does not say when it ends", cert_file));
    return CertificateFacts{subject_of(leaf), end, sha256_of(leaf)};
}

}  // namespace spillway::http
