#pragma once
/// The outcome of an attempt as routing understands it. See routing/blame.hpp for how it is reached.
///
/// Ownership: plain values. Thread rule: free functions. Errors: none.
#include <cstdint>
#include <string_view>

namespace spillway::routing {

/// Who is at fault.
enum class Whose : std::uint8_t {
    nobody,      ///< it was served, or it ended for a reason of the gateway's own
    client,      ///< what was asked is wrong, wherever it is asked
    request,     ///< right as such, but too large or too slow; others are not concerned
    quota,       ///< the deployment's quota is used up
    pair,        ///< this backend does not have this deployment, or this operation for it
    credential,  ///< the backend does not let the gateway do this
    deployment,  ///< the deployment at that backend fails
    backend,     ///< the backend cannot be reached
};

/// How far it reaches.
enum class Scope : std::uint8_t {
    nothing,
    request,               ///< this request alone
    operation,             ///< (backend, operation)
    deployment,            ///< (backend, deployment)
    deployment_operation,  ///< (backend, deployment, operation)
    backend,
};

/// What follows for that scope.
enum class Consequence : std::uint8_t {
    nothing,
    strike,  ///< several in a row, or a share of recent requests, eject it for a while
    trip,    ///< it is ejected at once, for a time that grows from 1 s
    rest,    ///< it rests as long as the answer says
    learn,   ///< it is passed over for some minutes
};

/// What the client may be shown of the answer if nobody else can serve.
enum class Told : std::uint8_t {
    as_is,   ///< the backend's own answer
    hidden,  ///< the gateway's words: the answer would mislead, or would speak of the gateway's secrets
};

/// Why, as logs, metrics and the admin plane say it. The first seven are sent to other replicas by number.
enum class Reason : std::uint8_t {
    none,            ///< ""
    throttled,       ///< "429"
    unauthorized,    ///< "401": 401, 402, 403 or no credential
    server_error,    ///< "5xx" and its kin
    no_connection,   ///< "connect"
    timeout,         ///< "timeout"
    broken,          ///< "broken": cut, malformed, empty, an HTML page
    no_quota,        ///< "insufficient_quota": paid up or capped, not a rate
    proxy,           ///< "proxy": the egress proxy cannot be reached, or does not lead to the backend
    refused,         ///< "refused": the request is wrong
    content_filter,  ///< "content_filter"
    too_large,       ///< "too_large": for the whole of a quota
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
    Told told = Told::as_is;
    Reason reason = Reason::none;

    friend bool operator==(const Verdict&, const Verdict&) = default;
};

[[nodiscard]] std::string_view to_string(Whose whose) noexcept;
[[nodiscard]] std::string_view to_string(Scope scope) noexcept;
[[nodiscard]] std::string_view to_string(Consequence consequence) noexcept;
[[nodiscard]] std::string_view to_string(Told told) noexcept;
[[nodiscard]] std::string_view to_string(Reason reason) noexcept;

}  // namespace spillway::routing
