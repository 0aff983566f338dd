#pragma once
/// The HTTP proxy by which a backend is reached, and which one the environment names.
///
/// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in capitals or small letters, are read as curl and Go's
/// net/http do (httpproxy package): a list of hosts, of domains with what is below them, of addresses and
/// networks, each with a port if need be, or `*`. This machine and link-local addresses (the metadata service
/// of Azure's VMs) are never asked for by the environment's proxy.
///
/// Ownership: plain values. Thread rule: free functions of their arguments. Errors: what was expected,
/// without the value, which may hold a password.
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
    /// `http://host:port`, with `***@` where a credential is.
    [[nodiscard]] std::string to_string() const;
    friend bool operator==(const EgressProxy&, const EgressProxy&) = default;
};

/// `http://proxy.example:3128`, `http://user:password@proxy.example:3128`, or without the scheme.
[[nodiscard]] Result<EgressProxy> parse_proxy(std::string_view text);

/// Does a list like NO_PROXY's name the host?
[[nodiscard]] bool is_exempt(std::string_view list, std::string_view host, std::uint16_t port);

/// Which proxy leads to the host, by the environment; nothing: none. The Error names the variable.
[[nodiscard]] Result<std::optional<EgressProxy>> proxy_of_environment(bool tls, std::string_view host,
                                                                      std::uint16_t port,
                                                                      const EnvLookup& env);

}  // namespace spillway::config
