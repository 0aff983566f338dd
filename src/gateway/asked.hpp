#pragma once
/// What a request asks for, once read, and the refusal of one that cannot be served.
///
/// Ownership: `route` views the request's target or `target`; `client` and `account` live as long as the
/// configuration that the request started with. Reused between requests for its strings' memory: clear()
/// before use. Thread rule: plain values.
#include <optional>
#include <string>
#include <string_view>

#include "api/object_id.hpp"
#include "api/request_scan.hpp"
#include "api/route.hpp"
#include "base/clock.hpp"
#include "quota/client_subject.hpp"
#include "quota/estimator.hpp"
#include "routing/router.hpp"

namespace spillway::gateway {

struct Client;

/// The gateway's own answer to a request, in OpenAI's terms.
struct Refusal {
    unsigned status = 0;
    std::string message{};
    std::string_view type = "invalid_request_error";
    std::string_view code{};
    std::optional<Duration> retry_in{};  ///< sent as Retry-After and retry-after-ms
    bool final = false;                  ///< x-should-retry: false
    std::string fields{};                ///< more field lines
    std::string body{};                  ///< a backend's own body, instead of message, type and code …
    std::string content_type{};          ///< … and its type
};
[[nodiscard]] std::string refusal_body(const Refusal& why);
/// Its field lines, without lengths.
void append_refusal_fields(std::string& out, const Refusal& why);
/// The delay until a retry, rounded up and never 0.
[[nodiscard]] std::int64_t retry_milliseconds(Duration retry_in) noexcept;
[[nodiscard]] std::int64_t retry_seconds(Duration retry_in) noexcept;

/// Where a request should go, because of what a backend already has.
struct Affinity {
    api::IdList ids;           ///< of an object that lives on one resource, if named
    std::string sealed;        ///< how encrypted reasoning that it carries begins
    bool names_model = false;  ///< in its path: a model that one backend does not know may be another's
    std::optional<routing::BackendIndex> pinned;  ///< the resource that has it, if known
    bool preferred = false;                       ///< … or would be the best: another will do
    bool own = false;                             ///< all that it names is known as its owner's
    std::uint64_t prefix = 0;                     ///< hash of a long prompt's beginning; 0: none
};

struct Asked {
    std::string id;  ///< the request's
    const Client* client = nullptr;
    quota::Subject* account = nullptr;  ///< the client's
    std::string user;
    bool user_is_clients = false;  ///< named by the body, so only this client's
    std::string team;
    bool team_is_named = false;  ///< by a token or a trusted field: not the client's own
    api::Route route;
    api::ObjectPath object;  ///< what the path says of things
    api::RequestScan scan;   ///< without views: they were the scanner's
    bool scanned = false;    ///< the body is a JSON object, and was read
    api::Span form_model;    ///< the value of a form's `model`
    std::string target;      ///< the request's target, if it was repaired
    std::string deployment;  ///< deployment or model, as the client named it
    routing::DeploymentRef deployment_ref;
    quota::RequestShape shape;
    quota::Estimate estimate;
    Affinity affinity;
    std::string conversation;   ///< the id of one that the request continues; empty: none
    std::uint64_t history = 0;  ///< tokens of it that the backend remembers

    [[nodiscard]] bool names_things() const noexcept {
        return !affinity.ids.empty() || !affinity.sealed.empty();
    }
    [[nodiscard]] const api::Operation& operation() const noexcept { return *route.operation; }
    /// Empties everything, and frees memory that an unusual request needed.
    void clear();
};

}  // namespace spillway::gateway
