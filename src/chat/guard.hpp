#pragma once
/// Decides from a request's head alone who may use the chat server: its own page (http/same_origin.hpp),
/// from a browser known by a cookie of 128 random bits (HttpOnly, SameSite=Strict). Pure. Thread rule: free
/// functions, safe everywhere.
#include <string>
#include <string_view>

#include "http/same_origin.hpp"

namespace spillway::chat {

using http::host_name;
using http::judge;
using http::own_hosts;
using http::Verdict;

inline constexpr std::string_view session_cookie = "spillway_chat";
/// The session's id from the Cookie field (RFC 6265 §4.2); empty if there is none of the right form.
[[nodiscard]] std::string_view session_of(const http::RequestHead& request) noexcept;
/// The value of Set-Cookie for a session.
[[nodiscard]] std::string set_cookie(std::string_view id);

}  // namespace spillway::chat
