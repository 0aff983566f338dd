#pragma once
/// Who may ask the chat server for what, from a request's head alone:
/// - the Host must be one we are known by, so that a foreign name that is made to resolve to a loopback
///   address (DNS rebinding) gets nothing;
/// - what changes something must come from our own page: Origin (RFC 6454 §7.3) equal to the Host, no
///   cross-site Sec-Fetch-Site (W3C Fetch Metadata), and a content type that no HTML form can send;
/// - a browser is known by a cookie of 128 random bits (HttpOnly, SameSite=Strict).
/// Pure. Thread rule: free functions, safe everywhere.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace spillway::chat {

enum class Verdict : std::uint8_t { good, foreign_host, foreign_origin, wrong_type };

/// `hosts`: names without port, lower case; empty: any.
[[nodiscard]] Verdict judge(const http::RequestHead& request, std::span<const std::string> hosts,
                            bool has_body) noexcept;

/// "127.0.0.1:80" is "127.0.0.1", "[::1]:80" is "[::1]".
[[nodiscard]] std::string_view host_name(std::string_view authority) noexcept;

inline constexpr std::string_view session_cookie = "spillway_chat";
/// The session's id from the Cookie field (RFC 6265 §4.2); empty when there is none of the right form.
[[nodiscard]] std::string_view session_of(const http::RequestHead& request) noexcept;
/// The value of Set-Cookie for a session.
[[nodiscard]] std::string set_cookie(std::string_view id);

/// The hosts of a server that listens on `listen_host`: loopback names for a loopback address, else any.
[[nodiscard]] std::vector<std::string> own_hosts(std::string_view listen_host);

}  // namespace spillway::chat
