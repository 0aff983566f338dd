#pragma once
/// What a request asks for, once it has been read, and the refusal of one that cannot be served.
///
/// Ownership: `route` views the request's target or `target`; `client` and `account` live as long as the
/// configuration that the request began with. Kept between requests for the memory of its strings: clear()
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

/// Why a request is answered by the gateway itself, in OpenAI's terms.
struct Refusal {
    unsigned status = 0;
    std::string message;
    std::string_view type = "invalid_request_error";
    std::string_view code;
    std::optional<Duration> retry_in;  ///< told as Retry-After and retry-after-ms
    bool final = false;                ///< x-should-retry: false
    std::string fields{};              ///< more field lines
    std::string body{};                ///< a backend's own words, in place of message, type and code …
    std::string content_type{};        ///< … and what they are
};
[[nodiscard]] std::string refusal_body(const Refusal& why);
/// The lines of its head, without lengths.
void append_refusal_fields(std::string& out, const Refusal& why);
/// Times to come back, rounded up and never 0.
[[nodiscard]] std::int64_t retry_milliseconds(Duration retry_in) noexcept;
[[nodiscard]] std::int64_t retry_seconds(Duration retry_in) noexcept;

/// Where a request should go, for what its backend already has of it.
struct Affinity {
    api::IdList ids;           ///< of what lives on one resource, if the request names such
    std::string sealed;        ///< how encrypted reasoning that it carries begins
    bool names_model = false;  ///< in its path: a model that one backend does not know may be another's
    std::optional<routing::BackendIndex> pinned;  ///< the resource that has it, if that is known
    bool preferred = false;                       ///< … or would be the best: another will do
    bool own = false;                             ///< all that it names is known as its owner's
    std::uint64_t prefix = 0;                     ///< of a long prompt's beginning; 0: none
};

struct Asked {
    std::string id;  ///< the request's
    const Client* client = nullptr;
    quota::Subject* account = nullptr;  ///< the client's
    std::string user;
    bool user_is_clients = false;  ///< the body named the user: one of this client's alone
    std::string team;
    bool team_is_named = false;  ///< by a token or a trusted field: not the client's own
    api::Route route;
    api::ObjectPath object;  ///< what the path says of things
    api::RequestScan scan;   ///< without views: they were the scanner's
    bool scanned = false;    ///< the body is a JSON object that was read
    api::Span form_model;    ///< the value of a form's `model`
    std::string target;      ///< the request's, if it had to be put right
    std::string deployment;  ///< deployment or model, as the client named it
    routing::DeploymentRef deployment_ref;
    quota::RequestShape shape;
    quota::Estimate estimate;
    Affinity affinity;
    std::string conversation;   ///< the id of one that the request goes on with; empty: none
    std::uint64_t history = 0;  ///< tokens that the backend remembers of it

    [[nodiscard]] bool names_things() const noexcept {
        return !affinity.ids.empty() || !affinity.sealed.empty();
    }
    [[nodiscard]] const api::Operation& operation() const noexcept { return *route.operation; }
    /// Empties all, and gives back what an odd request made large.
    void clear();
};

}  // namespace spillway::gateway
