#include "identity/upstream_auth.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

namespace spillway::identity {
namespace {

class StaticKey final : public CredentialSource {
public:
    explicit StaticKey(std::string line) : line_(std::move(line)) {}
    ~StaticKey() override { OPENSSL_cleanse(line_.data(), line_.size()); }
    StaticKey(const StaticKey&) = delete;
    StaticKey& operator=(const StaticKey&) = delete;

    bool append_auth_header(std::string& out, Wall) const override {
        out += line_;
        return true;
    }

private:
    std::string line_;
};

}  // namespace

bool is_credential_text(std::string_view s) noexcept {
    return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

void append_auth_header(std::string& out, AuthScheme scheme, std::string_view key) {
    out += scheme == AuthScheme::api_key ? "api-key: " : "Authorization: Bearer ";
    out += key;
    out += "\r\n";
}

Result<std::unique_ptr<CredentialSource>> make_static_key(AuthScheme scheme, std::string_view key) {
    std::string line;
    if (!key.empty()) {
        if (!is_credential_text(key)) return fail("a backend's key must be visible ASCII without spaces");
        append_auth_header(line, scheme, key);
    }
    return std::unique_ptr<CredentialSource>(std::make_unique<StaticKey>(std::move(line)));
}

}  // namespace spillway::identity
