#pragma once
/// A person who has logged in to the admin plane: kept by the browser alone, sealed
/// (identity/sealed_text.hpp), so that any replica with the same key knows it.
///
/// Of the ID token's claims it has those that a role depended on; the role is found anew for each request, so
/// that a changed mapping is felt at once. A value that no role asked for at the log-in is unknown until the
/// next one. Pure. Ownership, thread rule: plain values. Errors: nullopt.
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "config/gateway.hpp"
#include "identity/token_claims.hpp"

namespace spillway::identity {

struct Person {
    std::string subject;           ///< `sub`
    std::string name;              ///< to show
    config::ClaimConditions held;  ///< of the values that roles ask for, those that the person has
    Wall begun;                    ///< when the person logged in
};
/// Whom a verified ID token is about.
[[nodiscard]] Person person_of(const ParsedToken& token, const config::AdminRolesConfig& roles, Wall now);

[[nodiscard]] std::string write_session(const Person& person);
/// nullopt: it is none, or begun longer than `life` ago.
[[nodiscard]] std::optional<Person> read_session(std::string_view text, Duration life, Wall now);

/// The highest role whose conditions are all met; nullopt: none is.
[[nodiscard]] std::optional<config::AdminRole> role_of(const config::AdminRolesConfig& roles,
                                                       const config::ClaimConditions& held);

/// For the audit log, `oidc:ada@contoso.com`: one word, whatever the provider lets people call themselves.
[[nodiscard]] std::string audit_name(const Person& person);

}  // namespace spillway::identity
