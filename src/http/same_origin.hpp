#pragma once
/// Whether a request comes from a server's own page, from its head alone:
/// - the Host must be one the server is known by, so that a foreign name that is made to resolve to a
///   loopback address (DNS rebinding) gets nothing;
/// - what changes something must come from the own page: Sec-Fetch-Site says "same-origin" (W3C Fetch
/// Metadata),
///   or, where a browser does not say, X-Spillway-Page is there, or Origin (RFC 6454 §7.3) is the Host or the
///   X-Forwarded-Host; and it has a content type that no HTML form can send.
/// Pure. Thread rule: free functions, safe everywhere.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace spillway::http {

enum class Verdict : std::uint8_t { good, foreign_host, foreign_origin, wrong_type };

/// `hosts`: names without port, lower case; empty: any.
[[nodiscard]] Verdict judge(const RequestHead& request, std::span<const std::string> hosts,
                            bool has_body) noexcept;

/// "127.0.0.1:80" is "127.0.0.1", "[::1]:80" is "[::1]".
[[nodiscard]] std::string_view host_name(std::string_view authority) noexcept;

/// The hosts of a server that listens on `listen_host`: loopback names for a loopback address, else any.
[[nodiscard]] std::vector<std::string> own_hosts(std::string_view listen_host);

}  // namespace spillway::http
