#pragma once
/// Decides from its head alone whether a request comes from the server's own page:
/// - the Host must be a name of the server, so that a foreign name that is made to resolve to a loopback
///   address (DNS rebinding) gets nothing;
/// - a request that changes something must come from the page itself: Sec-Fetch-Site is "same-origin" (W3C
///   Fetch Metadata),
///   or, if the browser does not send it, X-Spillway-Page is present, or Origin (RFC 6454 §7.3) equals Host
///   or X-Forwarded-Host; and it must have a content type that no HTML form can send.
/// Thread rule: pure functions. Errors: a Verdict.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace spillway::http {

enum class Verdict : std::uint8_t { good, foreign_host, foreign_origin, wrong_type };

/// `hosts`: names in lower case without ports; empty: any.
[[nodiscard]] Verdict judge(const RequestHead& request, std::span<const std::string> hosts,
                            bool has_body) noexcept;

/// For what a cookie authenticates, which browsers send along with other pages' requests as well: whether the
/// browser says that a page of `origin` ("https://host", RFC 6454 §6.2) asks. By Sec-Fetch-Site or Origin
/// alone; who sends neither is refused.
[[nodiscard]] bool is_of_origin(const RequestHead& request, std::string_view origin) noexcept;

/// "127.0.0.1:80" is "127.0.0.1", "[::1]:80" is "[::1]".
[[nodiscard]] std::string_view host_name(std::string_view authority) noexcept;

/// The names of a server listening on `listen_host`: the loopback names for a loopback address, else any.
[[nodiscard]] std::vector<std::string> own_hosts(std::string_view listen_host);

}  // namespace spillway::http
