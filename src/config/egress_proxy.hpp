#pragma once
/// The HTTP proxy through which a backend is reached, and the one that the environment names.
///
/// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in upper or lower case, are read as by curl and Go's net/http
/// (package httpproxy): NO_PROXY lists hosts, domains with their subdomains, addresses and networks, each
/// with an optional port, or is `*`. This machine and link-local addresses (the metadata service of Azure's
/// VMs) are never reached through the environment's proxy.
///
/// Ownership: plain values. Thread rule: free functions of their arguments. Errors: what was expected,
/// without the value, which may contain a password.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/secret.hpp"
#include "config/sources.hpp"

namespace spillway::config {

struct EgressProxy {
    std::string host;  ///< lower case; an IPv6 address without its brackets
    std::uint16_t port = 80;
    Secret credential;  ///< "user:password", decoded; empty: none

    /// The value of Proxy-Authorization (RFC 7617); empty without a credential.
    [[nodiscard]] std::string authorization() const;
    /// `http://host:port`, with `***@` in place of a credential.
    [[nodiscard]] std::string to_string() const;
    friend bool operator==(const EgressProxy&, const EgressProxy&) = default;
};

/// `http://proxy.example:3128`, `http://user:password@proxy.example:3128`, or without the scheme.
[[nodiscard]] Result<EgressProxy> parse_proxy(std::string_view text);

/// Whether `list`, in the form of NO_PROXY, names the host.
[[nodiscard]] bool is_exempt(std::string_view list, std::string_view host, std::uint16_t port);

/// The environment's proxy for the host; nullopt: none. The Error names the variable.
[[nodiscard]] Result<std::optional<EgressProxy>> proxy_of_environment(bool tls, std::string_view host,
                                                                      std::uint16_t port,
                                                                      const EnvLookup& env);

}  // namespace spillway::config
