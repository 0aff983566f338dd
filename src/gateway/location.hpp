#pragma once
/// Fields of an answer that say where something is: a backend that names itself there is not to be asked by
/// clients, who have no key for it. They are told of the same place at the gateway.
///
/// Location and Content-Location (RFC 9110 §10.2.2, §8.7), Operation-Location and Azure-AsyncOperation (Azure
/// REST API guidelines, long-running operations). What is elsewhere altogether passes as it came.
/// Ownership: results are texts. Thread rule: free functions. Errors: none.
#include <string>
#include <string_view>

#include "config/backend.hpp"
#include "http/message.hpp"

namespace spillway::gateway {

[[nodiscard]] bool is_location_field(std::string_view name) noexcept;

/// How clients reach the gateway, as far as their request says: `https://gateway.example`; empty: not known.
[[nodiscard]] std::string own_address(const http::RequestHead& request, bool tls);

/// `value`, which `backend` gave, as a client is to see it. `own`: see own_address(); without one, a place at
/// the backend is told without its host.
[[nodiscard]] std::string location_for_client(std::string_view value, const config::BackendUrl& backend,
                                              std::string_view own);

/// The lines of `head`'s location fields.
void append_location_fields(std::string& out, const http::ResponseHead& head,
                            const config::BackendUrl& backend, std::string_view own);

}  // namespace spillway::gateway
