#include "identity/sealed_text.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>
#include <stdexcept>

#include "identity/jose.hpp"
#include "identity/random_bytes.hpp"

namespace spillway::identity {
namespace {

constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;

struct FreeCipher {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

unsigned char* bytes(std::string& text, std::size_t from = 0) {
    return reinterpret_cast<unsigned char*>(text.data()) + from;
}
const unsigned char* bytes(std::string_view text, std::size_t from = 0) {
    return reinterpret_cast<const unsigned char*>(text.data()) + from;
}

}  // namespace

Sealer::Sealer(std::string_view secret, std::string_view purpose) {
    unsigned size = 0;
    if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes(purpose), purpose.size(),
             key_.data(), &size) == nullptr)
        throw std::runtime_error("HMAC-SHA256 failed");
}

Sealer::~Sealer() {
    OPENSSL_cleanse(key_.data(), key_.size());
}

std::string Sealer::seal(std::string_view text) const {
    const auto nonce = random_bytes<kNonce>();
    std::string out(kNonce + text.size() + kTag, '\0');
    std::copy(nonce.begin(), nonce.end(), out.begin());
    const Cipher cipher(EVP_CIPHER_CTX_new());
    int size = 0;
    if (cipher == nullptr ||
        EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce.data()) != 1 ||
        EVP_EncryptUpdate(cipher.get(), bytes(out, kNonce), &size, bytes(text),
                          static_cast<int>(text.size())) != 1 ||
        EVP_EncryptFinal_ex(cipher.get(), bytes(out, kNonce + text.size()), &size) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTag, bytes(out, kNonce + text.size())) != 1)
        throw std::runtime_error("AES-256-GCM failed");
    return encode_base64url(out);
}

std::optional<std::string> Sealer::open(std::string_view sealed) const {
    std::string raw;
    if (!decode_base64url(sealed, raw) || raw.size() < kNonce + kTag) return std::nullopt;
    const std::size_t length = raw.size() - kNonce - kTag;
    std::string text(length, '\0');
    const Cipher cipher(EVP_CIPHER_CTX_new());
    int size = 0;
    if (cipher == nullptr ||
        EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), bytes(raw)) != 1)
        throw std::runtime_error("AES-256-GCM failed");
    if (EVP_DecryptUpdate(cipher.get(), bytes(text), &size, bytes(raw, kNonce), static_cast<int>(length)) !=
            1 ||
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTag, bytes(raw, kNonce + length)) != 1 ||
        EVP_DecryptFinal_ex(cipher.get(), bytes(text, length), &size) != 1)
        return std::nullopt;
    return text;
}

}  // namespace spillway::identity
