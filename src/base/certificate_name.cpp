#include "base/certificate_name.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.hpp"

namespace spillway {
namespace {

constexpr std::array<std::pair<std::string_view, CertificateNameKind>, 3> kKinds{
    {{"dns:", CertificateNameKind::dns},
     {"uri:", CertificateNameKind::uri},
     {"email:", CertificateNameKind::email}}};
constexpr std::size_t kMostBytes = 2048;  // of a SPIFFE id (SPIFFE-ID §2.3)

bool is_plain(std::string_view value) noexcept {
    return !value.empty() && value.size() <= kMostBytes &&
           std::ranges::all_of(value, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool fits(CertificateNameKind kind, std::string_view value) noexcept {
    if (!is_plain(value)) return false;
    const auto at = value.find(kind == CertificateNameKind::email ? '@' : ':');
    switch (kind) {
        case CertificateNameKind::dns:
            return value.find_first_of("*:/@") == std::string_view::npos;
        case CertificateNameKind::uri:
        case CertificateNameKind::email:
            return at != std::string_view::npos && at > 0 && at + 1 < value.size();
    }
    return false;
}

}  // namespace

std::optional<std::string> certificate_name(CertificateNameKind kind, std::string_view value) {
    if (!fits(kind, value)) return std::nullopt;
    std::size_t caseless = value.size();  // from here on
    if (kind == CertificateNameKind::dns) caseless = 0;
    if (kind == CertificateNameKind::email) caseless = value.rfind('@');
    std::string out;
    for (const auto& [prefix, of] : kKinds)
        if (of == kind) out = prefix;
    const std::size_t begin = out.size();
    out += value;
    std::transform(out.begin() + static_cast<std::ptrdiff_t>(begin + caseless), out.end(),
                   out.begin() + static_cast<std::ptrdiff_t>(begin + caseless), ascii_lower);
    return out;
}

Result<std::string> parse_certificate_name(std::string_view text) {
    for (const auto& [prefix, kind] : kKinds) {
        if (!istarts_with(text, prefix)) continue;
        const std::string_view value = text.substr(prefix.size());
        if (kind == CertificateNameKind::dns && value.find('*') != std::string_view::npos)
            return fail("is a wildcard; a name is one client's, and is compared as a whole");
        if (auto name = certificate_name(kind, value)) return std::move(*name);
        if (kind == CertificateNameKind::dns)
            return fail("expected a DNS name after dns:, as dns:app.example");
        if (kind == CertificateNameKind::uri)
            return fail("expected a URI after uri:, as uri:spiffe://prod.example/chat");
        return fail("expected an address after email:, as email:ops@example.com");
    }
    return fail(
        "expected the kind of name first: dns:app.example, uri:spiffe://prod.example/chat or "
        "email:ops@example.com");
}

}  // namespace spillway
