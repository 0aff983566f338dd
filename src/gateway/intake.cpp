#include "gateway/intake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/form.hpp"
#include "api/tidy_target.hpp"
#include "base/hex.hpp"
#include "base/pen.hpp"

namespace spillway::gateway {
namespace {

/// A client's own request id is kept if it is short and plain.
bool usable_id(std::string_view id) noexcept {
    if (id.empty() || id.size() > 128) return false;
    return std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_' || c == '.' || c == ':';
    });
}

void append_hex_id(std::string& out, Rng& rng) {
    Pen pen(out, 32);
    append_hex(pen, rng());
    append_hex(pen, rng());
}

/// What is refused whatever its body says.
std::optional<Refusal> check_head(const http::RequestHead& head) {
    static constexpr std::array<std::string_view, 7> kMethods{"GET",   "POST", "PUT",    "DELETE",
                                                              "PATCH", "HEAD", "OPTIONS"};
    if (std::ranges::find(kMethods, head.method) == kMethods.end())
        return Refusal{.status = 405,
                       .message = fmt::format("The method {} is not allowed.", head.method),
                       .code = "method_not_allowed",
                       .fields = "allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"};
    if (icontains(head.fields.get("upgrade"), "websocket"))
        return Refusal{
            .status = 426,
            .message = "WebSockets (Realtime, and the Responses API over them) are not served here.",
            .code = "websocket_not_supported",
            .fields = "upgrade: HTTP/1.1\r\n"};
    return std::nullopt;
}

/// The name in …/models/{name}, which may hold slashes; empty: it is not that.
std::string model_in_path(const api::Route& route) {
    constexpr std::string_view begin = "/models/";
    if (route.operation != &api::operations::other || !istarts_with(route.tail, begin)) return {};
    std::string_view name = route.tail.substr(begin.size());
    while (name.ends_with('/')) name.remove_suffix(1);
    return percent_decoded(name).value_or(std::string());
}

bool is_json_object(std::string_view body) noexcept {
    return trim(body).starts_with('{');
}

}  // namespace

bool is_probe(std::string_view target) noexcept {
    return target == "/healthz" || target == "/status-0123456789abcdef";
}

void assign_request_id(std::string& out, std::string_view given, Rng& rng) {
    if (usable_id(given))
        out = given;
    else
        append_hex_id(out, rng);
}

bool is_preflight(const http::RequestHead& head) noexcept {
    return head.method == "OPTIONS" && !head.fields.get("origin").empty() &&
           !head.fields.get("access-control-request-method").empty();
}

std::string cors_fields(std::string_view origin, const std::vector<std::string>& origins) {
    std::string out;
    if (origin.empty() || origins.empty()) return out;
    const bool all = std::ranges::find(origins, "*") != origins.end();
    if (!all && std::ranges::find(origins, origin) == origins.end()) return out;
    http::append_field(out, "access-control-allow-origin", all ? std::string_view("*") : origin);
    http::append_field(out, "access-control-expose-headers",
                       "x-request-id, x-spillway-backend, x-spillway-attempts, retry-after, retry-after-ms, "
                       "x-should-retry, x-ratelimit-limit-requests, x-ratelimit-limit-tokens, "
                       "x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, "
                       "x-ratelimit-reset-requests, x-ratelimit-reset-tokens");
    if (!all) http::append_field(out, "vary", "Origin");
    return out;
}

std::string preflight_fields(const http::RequestHead& head, const std::vector<std::string>& origins) {
    std::string out = cors_fields(head.fields.get("origin"), origins);
    if (out.empty()) return out;
    http::append_field(out, "access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE, HEAD");
    if (const auto asked = head.fields.get("access-control-request-headers"); !asked.empty())
        http::append_field(out, "access-control-allow-headers", asked);
    http::append_field(out, "access-control-max-age", "7200");
    return out;
}

std::optional<Refusal> Intake::identify(const http::RequestHead& head, std::string_view peer,
                                        const ShownKey& shown, Wall now, const KeyRing* made_keys,
                                        http::PeerCertificate* certificate) {
    asked_.route = api::classify(api::tidy_target(head.target, asked_.target), head.method);
    Caller caller = snapshot_.clients.identify(head, peer, shown, now, made_keys, certificate);
    asked_.client = caller.client;
    asked_.user = std::move(caller.user);
    asked_.team = std::move(caller.team);
    asked_.team_is_named = !asked_.team.empty();
    if (caller.elsewhere)
        return Refusal{.status = 403,
                       .message = "This client may not call from this address.",
                       .code = "address_not_allowed"};
    if (caller.ambiguous)
        return Refusal{.status = 400,
                       .message = "A field by which a proxy names its client came more than once.",
                       .code = "ambiguous_client"};
    if (asked_.client == nullptr)
        return Refusal{.status = 401,
                       .message = caller.fault.empty()
                                      ? "Access denied: the request carries no valid key. Give it as the "
                                        "api-key header or as a bearer token."
                                      : "Access denied: " + caller.fault,
                       .type = "authentication_error",
                       .code = "401"};
    if (auto no = check_head(head)) return no;
    return check_route();
}

std::optional<Refusal> Intake::check_route() {
    const api::Route& route = asked_.route;
    if (route.bad)
        return Refusal{.status = 400, .message = std::string(api::path_fault(route)), .code = "bad_path"};
    if (route.style == api::PathStyle::unknown)
        return Refusal{.status = 404,
                       .message =
                           "There is nothing here. Known are /openai/deployments/{deployment}/…, "
                           "/openai/v1/…, /v1/… and the v1 API without its prefix (/chat/completions …).",
                       .code = "404"};
    if (!route.deployment.empty() && !api::decode_segment(route.deployment, asked_.deployment))
        return Refusal{
            .status = 400, .message = "The deployment's name is not valid.", .code = "bad_deployment"};
    return std::nullopt;
}

std::optional<Refusal> Intake::read(const http::RequestHead& head, std::string_view body) {
    std::string model = model_in_path(asked_.route);
    asked_.affinity.names_model = !model.empty();
    if (!model.empty()) asked_.deployment = std::move(model);
    const bool form =
        asked_.operation().body == api::BodyKind::multipart || istarts_with(asked_.route.tail, "/videos");
    if (!form || is_json_object(body)) return read_json(body);
    repeated_ = read_form(body, head.fields.get("content-type"));
    return std::nullopt;
}

std::optional<Refusal> Intake::understand(const http::RequestHead& head, std::string_view body,
                                          quota::Now now) {
    const ClientTable& clients = snapshot_.clients;
    if (asked_.team.empty()) asked_.team = clients.team_of(*asked_.client);
    if (!may_use_deployment(head.method))
        return Refusal{.status = 403,
                       .message = fmt::format("The client '{}' may not use the deployment '{}'.",
                                              asked_.account->name(), asked_.deployment),
                       .code = "deployment_not_allowed"};
    // Some servers take the first of several, some the last.
    if (repeated_)
        return Refusal{
            .status = 400, .message = "The form names its model more than once.", .code = "bad_form"};
    asked_.deployment_ref = snapshot_.router->deployment(asked_.deployment, now.mono);
    const api::Operation& operation = asked_.operation();
    asked_.shape = quota::shape_of(asked_.scan, body, asked_.deployment, operation.writes_text);
    asked_.shape.history = asked_.history;
    asked_.estimate = snapshot_.estimators->of(asked_.deployment_ref.index).estimate(asked_.shape);
    if (auto no = find_things(head, body)) return no;
    if (snapshot_.isolated && asked_.affinity.ids.overflows())
        return Refusal{.status = 400,
                       .message = fmt::format("The request names more than {} things.", api::IdList::kMost),
                       .code = "too_many_things"};
    if (!asked_.names_things() && operation.writes_text && snapshot_.config.affinity.prompt_cache)
        asked_.affinity.prefix = prefix_affinity(body, asked_.scan.prompt_chars);
    return std::nullopt;
}

/// What the request names of what lives on one resource.
std::optional<Refusal> Intake::find_things(const http::RequestHead& head, std::string_view body) {
    const api::Operation& operation = asked_.operation();
    api::IdList& ids = asked_.affinity.ids;
    if (operation.sealed_reasoning && ids.empty()) find_sealed(asked_.affinity, *snapshot_.affinity, body);
    if (!operation.names_ids) {
        // Pictures and voices are named by ids in JSON as well.
        if (asked_.scanned && operation.body != api::BodyKind::json) api::ids_in_request(body, ids);
        return std::nullopt;
    }
    asked_.object = api::read_object_path(asked_.route.tail, ids);
    if (asked_.object.models) {
        if (!snapshot_.isolated || head.method == "GET" || head.method == "HEAD") return std::nullopt;
        return Refusal{.status = 403,
                       .message = "Models and deployments are not changed through the gateway.",
                       .code = "not_allowed"};
    }
    api::ids_in_query(asked_.route.query, ids);
    if (asked_.scanned) {
        api::ids_in_request(body, ids);
        return std::nullopt;
    }
    const std::string_view type = head.fields.get("content-type");
    const bool encoded = !head.fields.get("content-encoding").empty();
    if (istarts_with(trim(type), "multipart/form-data") && !encoded) {
        // An upload holds data, and may be large.
        if (iequals(asked_.route.tail, "/files") || asked_.route.tail.ends_with("/parts"))
            return std::nullopt;
        api::ids_in_form(body, type, ids);
        return std::nullopt;
    }
    // What cannot be read could name anything.
    const bool json = type.empty() || type.find("json") != std::string_view::npos;
    const bool other_form = istarts_with(trim(type), "multipart/") ||
                            istarts_with(trim(type), "application/x-www-form-urlencoded");
    const bool hidden = json || other_form || encoded;
    if (!snapshot_.isolated || trim(body).empty() || !hidden || !asked_.object.known) return std::nullopt;
    return Refusal{.status = 400, .message = "The request's body is not a JSON object.", .code = "bad_json"};
}

/// Things that have no model (files, batches, stored responses, lists) are open to all clients; what runs a
/// model that is named elsewhere, or nowhere, is not.
bool Intake::may_use_deployment(std::string_view method) const {
    const std::string_view tail = asked_.route.tail;
    const bool runs =
        method == "POST" && (istarts_with(tail, "/realtime") || istarts_with(tail, "/images/") ||
                             istarts_with(tail, "/engines/") || iequals(tail, "/videos"));
    if (asked_.deployment.empty() && !asked_.operation().needs_model && !runs) return true;
    return snapshot_.clients.allows(*asked_.client, asked_.deployment);
}

bool Intake::read_form(std::string_view body, std::string_view content_type) {
    const auto model = api::find_form_field(body, content_type, "model");
    if (!model) return false;
    asked_.form_model = *model;
    if (asked_.deployment.empty()) asked_.deployment = body.substr(model->offset, model->length);
    return model->repeated;
}

std::optional<Refusal> Intake::read_json(std::string_view body) {
    const bool must = asked_.operation().body == api::BodyKind::json;
    if (!must && !is_json_object(body)) return std::nullopt;
    api::RequestScan& scan = asked_.scan;
    const api::ScanError error = scanner_.scan(body, scan);
    if (error != api::ScanError::none) {
        scan = {};
        if (!must) return std::nullopt;
        return Refusal{.status = 400, .message = std::string(api::to_string(error)), .code = "bad_json"};
    }
    asked_.scanned = true;
    if (asked_.deployment.empty()) asked_.deployment = scan.model;
    asked_.affinity.ids.add(scanner_.ids());
    asked_.conversation = scan.conversation;
    asked_.history =
        histories_.of(scan.previous_response_id.empty() ? scan.conversation : scan.previous_response_id);
    if (asked_.user.empty() && snapshot_.config.users.field) {
        asked_.user = scan.user;
        asked_.user_is_clients = true;
    }
    // The scanner is shared by all requests of this thread: keep no view into it.
    scan.model = scan.user = scan.previous_response_id = scan.conversation = {};
    return std::nullopt;
}

}  // namespace spillway::gateway
