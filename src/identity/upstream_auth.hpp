#pragma once
/// The gateway's credential for a backend: `api-key: K` (Azure OpenAI) or `Authorization: Bearer K` (OpenAI,
/// or an Entra token for Azure OpenAI).
///
/// Ownership: a backend owns its CredentialSource. Thread rule: append_auth_header() is const and safe from
/// any thread. Errors: a key that is not valid in a field is refused at construction.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace spillway::identity {

enum class AuthScheme : std::uint8_t {
    api_key,  ///< `api-key: K`
    bearer,   ///< `Authorization: Bearer K`
};

class CredentialSource {
public:
    CredentialSource() = default;
    CredentialSource(const CredentialSource&) = delete;
    CredentialSource& operator=(const CredentialSource&) = delete;
    virtual ~CredentialSource() = default;

    /// Appends the field line with its CRLF (nothing for a backend without credentials). False if there is no
    /// usable credential at `now`: then the backend cannot be used, and `out` is unchanged.
    [[nodiscard]] virtual bool append_auth_header(std::string& out, Wall now) const = 0;

    /// Identifies the credential of append_auth_header(); changes when it is renewed.
    [[nodiscard]] virtual std::uint64_t generation() const noexcept { return 0; }
    /// The backend answered 401 to the credential of generation `refused`. True: there is another, or it is
    /// being fetched (renewing() until that has succeeded or failed).
    [[nodiscard]] virtual bool renew(std::uint64_t /*refused*/) const { return false; }
    [[nodiscard]] virtual bool renewing() const noexcept { return false; }
    /// Why there is no usable credential at `now`, for operators; empty if there is one.
    [[nodiscard]] virtual std::string lack(Wall /*now*/) const { return {}; }
};

/// A key from the configuration; an empty key sends no field. An Error if it has characters other than
/// visible ASCII.
[[nodiscard]] Result<std::unique_ptr<CredentialSource>> make_static_key(AuthScheme scheme,
                                                                        std::string_view key);

/// Whether `s` is not empty and has only visible ASCII: safe in a field value (RFC 9110 §5.5).
[[nodiscard]] bool is_credential_text(std::string_view s) noexcept;

/// Appends `scheme`'s field line for `key`, which must be credential text.
void append_auth_header(std::string& out, AuthScheme scheme, std::string_view key);

}  // namespace spillway::identity
