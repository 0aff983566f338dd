#pragma once
/// What may stand in Host and :authority. Internal to the http room. Thread rule: plain functions.
#include <string_view>

namespace spillway::http {

/// RFC 9110 §7.2, RFC 3986 §3.2.2: uri-host [ ":" port ]. Not empty, since http has no empty host (RFC 9110
/// §4.2.1); no user (§4.2.4); no comma, which a reader of lists would take for two hosts.
[[nodiscard]] bool valid_host(std::string_view host) noexcept;

}  // namespace spillway::http
