#pragma once
/// Rewrites fields of an answer that contain locations: clients cannot use a backend's own address, since
/// they have no key for it, and get the same location at the gateway instead.
///
/// Location and Content-Location (RFC 9110 §10.2.2, §8.7), Operation-Location and Azure-AsyncOperation (Azure
/// REST API guidelines, long-running operations). Locations at other hosts pass unchanged.
/// Ownership: results are texts. Thread rule: free functions. Errors: none.
#include <string>
#include <string_view>

#include "config/backend.hpp"
#include "http/message.hpp"

namespace spillway::gateway {

[[nodiscard]] bool is_location_field(std::string_view name) noexcept;

/// The gateway's address as seen by the client, from its request: `https://gateway.example`; empty: unknown.
[[nodiscard]] std::string own_address(const http::RequestHead& request, bool tls);

/// The client's form of a `value` from `backend`. `own`: see own_address(); if empty, a location at the
/// backend loses its host.
[[nodiscard]] std::string location_for_client(std::string_view value, const config::BackendUrl& backend,
                                              std::string_view own);

/// Appends the lines of `head`'s location fields.
void append_location_fields(std::string& out, const http::ResponseHead& head,
                            const config::BackendUrl& backend, std::string_view own);

}  // namespace spillway::gateway
