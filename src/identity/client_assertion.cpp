// A certificate's proof for Entra's token endpoint.
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>

#include "identity/jose.hpp"

namespace spillway::identity {
namespace {

constexpr std::chrono::minutes kAssertionLife{10};

struct FreeBio {
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct FreeCertificate {
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
struct FreeContext {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

Bio reader(std::string_view pem) {
    return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

/// An encrypted key asks no terminal for its passphrase.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
    return -1;
}

std::string view_of(const unsigned char* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

Result<std::string> sign_ps256(EVP_PKEY* key, std::string_view input) {
    const Context context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* of_key = nullptr;  // the context's own
    std::size_t size = 0;
    const auto* data = reinterpret_cast<const unsigned char*>(input.data());
    if (context == nullptr || EVP_DigestSignInit(context.get(), &of_key, EVP_sha256(), nullptr, key) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(of_key, RSA_PKCS1_PSS_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_pss_saltlen(of_key, RSA_PSS_SALTLEN_DIGEST) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, data, input.size()) != 1)
        return fail("the certificate's key cannot sign");
    std::string signature(size, '\0');
    if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, data,
                       input.size()) != 1)
        return fail("the certificate's key cannot sign");
    signature.resize(size);
    return signature;
}

/// A random UUID (RFC 9562 §5.4).
std::string unique_id() {
    std::array<unsigned char, 16> b{};
    RAND_bytes(b.data(), static_cast<int>(b.size()));
    b[6] = static_cast<unsigned char>((b[6] & 0x0fU) | 0x40U);
    b[8] = static_cast<unsigned char>((b[8] & 0x3fU) | 0x80U);
    std::string out;
    for (std::size_t i = 0; i < b.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
        fmt::format_to(std::back_inserter(out), "{:02x}", b[i]);
    }
    return out;
}

}  // namespace

Result<std::string> client_assertion(std::string_view pem, std::string_view key_pem,
                                     std::string_view client_id, std::string_view audience, Wall now) {
    const Bio of_certificate = reader(pem);
    const Certificate certificate(PEM_read_bio_X509(of_certificate.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) return fail("the certificate's file holds no PEM certificate");
    const Bio of_key = reader(key_pem.empty() ? pem : key_pem);
    const KeyPtr key(PEM_read_bio_PrivateKey(of_key.get(), nullptr, no_passphrase, nullptr));
    if (key == nullptr) return fail("the certificate's file holds no PEM key without a passphrase");
    if (EVP_PKEY_is_a(key.get(), "RSA") != 1) return fail("the certificate's key is not RSA");
    if (X509_check_private_key(certificate.get(), key.get()) != 1)
        return fail("the key is not the certificate's");
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) != 1)
        return fail("the certificate has no thumbprint");

    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    const auto end = seconds + std::chrono::seconds(kAssertionLife).count();
    const std::string header = fmt::format(R"({{"alg":"PS256","typ":"JWT","x5t#S256":"{}"}})",
                                           encode_base64url(view_of(digest.data(), size)));
    const std::string claims =
        fmt::format(R"({{"aud":"{}","iss":"{}","sub":"{}","jti":"{}","nbf":{},"iat":{},"exp":{}}})", audience,
                    client_id, client_id, unique_id(), seconds, seconds, end);
    std::string token = encode_base64url(header) + '.' + encode_base64url(claims);
    auto signature = sign_ps256(key.get(), token);
    if (!signature) return signature.error();
    return token + '.' + encode_base64url(*signature);
}

}  // namespace spillway::identity
