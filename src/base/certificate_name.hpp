#pragma once
/// A name that a certificate carries as subjectAltName (RFC 5280 §4.2.1.6), as a text that begins with its
/// kind: "dns:app.example", "uri:spiffe://prod.example/chat", "email:ops@example.com".
///
/// Names are the same if their texts are: what is compared without case (a DNS name, RFC 4343; an e-mail's
/// host, RFC 5280 §7.5) is in lower case; a URI stays as it is (those of SPIFFE are in lower case). The
/// subject's common name is no name (RFC 9525 §2: it says not which kind it is of), and no name has
/// wildcards: it is one client's.
/// Thread rule: pure. Errors: nullopt, or what is wrong with a configured name.
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway {

enum class CertificateNameKind { dns, uri, email };

/// What a certificate says, as a name; nullopt if it could not be configured: it is empty, too long, has
/// other bytes than printable ASCII (a NUL among them), or a wildcard.
[[nodiscard]] std::optional<std::string> certificate_name(CertificateNameKind kind, std::string_view value);

/// A configured name.
[[nodiscard]] Result<std::string> parse_certificate_name(std::string_view text);

}  // namespace spillway
