#pragma once
/// The judgement on an attempt's end, reached in routing/blame.hpp.
///
/// Ownership: plain values. Thread rule: free functions. Errors: none.
#include <cstdint>
#include <string_view>

namespace spillway::routing {

/// Who is at fault.
enum class Whose : std::uint8_t {
    nobody,      ///< it was served, or the gateway itself ended it
    client,      ///< the request is wrong, at any backend
    request,     ///< valid, but too large or too slow; shows nothing about others
    quota,       ///< the deployment's quota is exhausted
    pair,        ///< this backend lacks the deployment, or the operation for it
    credential,  ///< the backend refuses the gateway's credential
    deployment,  ///< the deployment at that backend is failing
    backend,     ///< the backend cannot be reached
};

/// What the fault concerns.
enum class Scope : std::uint8_t {
    nothing,
    request,               ///< this request only
    operation,             ///< (backend, operation)
    deployment,            ///< (backend, deployment)
    deployment_operation,  ///< (backend, deployment, operation)
    backend,
};

/// What follows for that scope.
enum class Consequence : std::uint8_t {
    nothing,
    strike,  ///< several in a row, or a share of recent requests, eject it for a time
    trip,    ///< it is ejected at once, for 1 s at first, longer each time
    rest,    ///< it is left alone as long as the answer says
    learn,   ///< it is avoided for some minutes
};

/// What the client sees if no other backend can serve.
enum class Disclosure : std::uint8_t {
    as_is,   ///< the backend's own answer
    hidden,  ///< the gateway's own words: the answer would mislead, or reveal the gateway's secrets
};

/// The reason in logs, metrics and the admin plane. The first seven are sent to other replicas by number.
enum class Reason : std::uint8_t {
    none,            ///< ""
    throttled,       ///< "429"
    unauthorized,    ///< "401": 401, 402, 403 or no credential
    server_error,    ///< "5xx" and the like
    no_connection,   ///< "connect"
    timeout,         ///< "timeout"
    broken,          ///< "broken": cut, malformed, empty, an HTML page
    no_quota,        ///< "insufficient_quota": credit spent or capped, not a rate limit
    proxy,           ///< "proxy": the egress proxy is unreachable, or does not connect to the backend
    refused,         ///< "refused": the request is wrong
    content_filter,  ///< "content_filter"
    too_large,       ///< "too_large": for the whole quota
    not_deployed,    ///< "not_deployed": no such deployment or model there
    not_supported,   ///< "not_supported": no such operation there
    not_found,       ///< "not_found": a 404 that names neither
    local_limit,     ///< "local_limit"
    cancelled,       ///< "cancelled"
};

struct Verdict {
    Whose whose = Whose::nobody;
    Scope scope = Scope::nothing;
    Consequence consequence = Consequence::nothing;
    bool elsewhere = false;  ///< another backend may be tried
    Disclosure disclosure = Disclosure::as_is;
    Reason reason = Reason::none;

    friend bool operator==(const Verdict&, const Verdict&) = default;
};

[[nodiscard]] std::string_view to_string(Whose whose) noexcept;
[[nodiscard]] std::string_view to_string(Scope scope) noexcept;
[[nodiscard]] std::string_view to_string(Consequence consequence) noexcept;
[[nodiscard]] std::string_view to_string(Disclosure disclosure) noexcept;
[[nodiscard]] std::string_view to_string(Reason reason) noexcept;

}  // namespace spillway::routing
