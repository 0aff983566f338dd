#include "routing/blame.hpp"

#include <algorithm>
#include <span>

#include "base/strings.hpp"

namespace spillway::routing {
namespace {

constexpr Verdict served{};
constexpr Verdict refused{Whose::client, Scope::request,    Consequence::nothing,
                          false,         Disclosure::as_is, Reason::refused};
constexpr Verdict filtered{Whose::client, Scope::request,    Consequence::nothing,
                           false,         Disclosure::as_is, Reason::content_filter};
constexpr Verdict too_large{Whose::request, Scope::request,     Consequence::nothing,
                            false,          Disclosure::hidden, Reason::too_large};
/// For a larger deployment it may be small enough.
constexpr Verdict too_large_here{Whose::request, Scope::request,     Consequence::nothing,
                                 true,           Disclosure::hidden, Reason::too_large};
constexpr Verdict throttled{Whose::quota, Scope::deployment,  Consequence::rest,
                            true,         Disclosure::hidden, Reason::throttled};
constexpr Verdict no_quota{Whose::quota, Scope::deployment, Consequence::rest,
                           true,         Disclosure::as_is, Reason::no_quota};
constexpr Verdict not_deployed{Whose::pair, Scope::deployment, Consequence::learn,
                               true,        Disclosure::as_is, Reason::not_deployed};
/// The client chooses the operation: it must not affect others' use of the deployment.
constexpr Verdict not_supported{Whose::pair, Scope::deployment_operation, Consequence::learn,
                                true,        Disclosure::as_is,           Reason::not_supported};
constexpr Verdict not_implemented{Whose::pair, Scope::operation,  Consequence::learn,
                                  true,        Disclosure::as_is, Reason::not_supported};
/// A client's api-version or a misspelt path makes a service say this as well: nothing is learned.
constexpr Verdict not_found{Whose::pair, Scope::operation,  Consequence::nothing,
                            true,        Disclosure::as_is, Reason::not_found};
constexpr Verdict unauthorized{Whose::credential,  Scope::operation,    Consequence::trip, true,
                               Disclosure::hidden, Reason::unauthorized};
constexpr Verdict server_error{Whose::deployment, Scope::deployment,   Consequence::strike, true,
                               Disclosure::as_is, Reason::server_error};
constexpr Verdict broken{Whose::deployment,  Scope::deployment, Consequence::strike, true,
                         Disclosure::hidden, Reason::broken};
constexpr Verdict no_connection{Whose::backend, Scope::backend,     Consequence::trip,
                                true,           Disclosure::hidden, Reason::no_connection};
constexpr Verdict no_proxy{Whose::backend, Scope::backend,     Consequence::trip,
                           true,           Disclosure::hidden, Reason::proxy};
constexpr Verdict timed_out{Whose::request, Scope::request,     Consequence::nothing,
                            false,          Disclosure::hidden, Reason::timeout};
constexpr Verdict local{Whose::nobody, Scope::request,     Consequence::nothing,
                        false,         Disclosure::hidden, Reason::local_limit};
constexpr Verdict cancelled{Whose::nobody, Scope::nothing,     Consequence::nothing,
                            false,         Disclosure::hidden, Reason::cancelled};

using Words = std::span<const std::string_view>;

bool contains_any(std::string_view text, Words words) noexcept {
    return std::ranges::any_of(words, [&](std::string_view w) { return icontains(text, w); });
}
bool is_any(std::string_view text, Words words) noexcept {
    return std::ranges::any_of(words, [&](std::string_view w) { return iequals(text, w); });
}

constexpr std::string_view filter_words[] = {
    "content_filter",  "contentfilter",      "content_policy",  "responsibleaipolicy", "moderation_blocked",
    "data_inspection", "prohibited_content", "content_blocked", "guardrail",           "safety"};
constexpr std::string_view quota_end_words[] = {"insufficient_quota", "billing_hard_limit",
                                                "billing_not_active", "insufficient_user_quota"};
constexpr std::string_view throttle_words[] = {"rate_limit",      "ratelimit",          "quota",  "too_many",
                                               "toomanyrequests", "resource_exhausted", "throttl"};
/// OpenAI's 429 say in `type` what ran out.
constexpr std::string_view throttle_types[] = {"tokens", "requests"};
constexpr std::string_view no_model_words[] = {
    "deploymentnotfound", "model_not_found",      "modelnotfound",       "unknown_model",
    "invalid_model",      "model_not_available",  "model_not_supported", "unavailable_model",
    "unavailablemodel",   "model_decommissioned", "modeldeprecated",     "model_deprecated",
    "unsupported_model"};
constexpr std::string_view credential_words[] = {
    "invalid_api_key", "authentication", "permission",          "unauthorized", "access_denied",
    "accessdenied",    "invalid_token",  "account_deactivated", "forbidden",    "invalid_organization"};
/// Errors of the service's own, whatever else they say.
constexpr std::string_view server_words[] = {"server_error", "internal",         "overloaded", "unavailable",
                                             "api_error",    "timeout",          "timed_out",  "bad_gateway",
                                             "model_error",  "failed_dependency"};
constexpr std::string_view request_words[] = {
    "invalid",   "context_length", "context_size", "unsupported",   "unknown_parameter",
    "missing",   "badrequest",     "bad_request",  "policy",        "image",
    "above_max", "below_min",      "too_long",     "too_large",     "too_many_tokens",
    "parameter", "validation",     "value_error",  "unprocessable", "notfound",
    "not_found", "max_length",     "schema",       "file"};
constexpr std::string_view context_words[] = {
    "maximum context length", "context window", "context length",    "exceeds the limit of",
    "input validation error", "is too long",    "reduce the length", "content management policy",
    "prompt length",          "context limit",  "does not support",  "too many images"};
constexpr std::string_view no_model_messages[] = {"not exist", "not found", "no such", "unknown model"};

/// DeepSeek, OpenRouter, LiteLLM, OpenAI and Bedrock, under a 400.
constexpr std::string_view no_model_400[] = {"model not exist",    "not a valid model",
                                             "invalid model name", "invalid model id",
                                             "model not found",    "model identifier is invalid"};
/// Gemini, xAI, Anthropic and DashScope about the account, under a 400.
constexpr std::string_view account_messages[] = {"api key not valid", "incorrect api key",
                                                 "credit balance is too low", "account is in good standing"};

/// Does the error say that the deployment or model is not there?
bool lacks_model(const Evidence& e) noexcept {
    if (contains_any(e.code, no_model_words) || contains_any(e.type, no_model_words)) return true;
    if (e.status == 400 && (contains_any(e.message, no_model_400) ||
                            (istarts_with(e.message, "model ") && icontains(e.message, "not found"))))
        return true;
    // vLLM and Ollama have no code of their own for it.
    return e.status == 404 && icontains(e.message, "model") && contains_any(e.message, no_model_messages);
}

/// Bedrock: "You don't have access to the model with the specified model ID."
bool may_not_use_model(const Evidence& e) noexcept {
    return icontains(e.message, "access to the model");
}

bool is_filtered(const Evidence& e) noexcept {
    return e.content_filter || contains_any(e.code, filter_words) || contains_any(e.type, filter_words);
}

bool is_out_of_quota(const Evidence& e) noexcept {
    return contains_any(e.code, quota_end_words) || contains_any(e.type, quota_end_words);
}

Verdict throttle(const Evidence& e) noexcept {
    if (e.whole_quota != 0 && e.charge > e.whole_quota) return too_large;
    // OpenAI's and Groq's words for a request that the whole limit would not hold.
    if (icontains(e.message, "request too large")) return too_large_here;
    return is_out_of_quota(e) ? no_quota : throttled;
}

Verdict by_status(unsigned status, const Evidence& e, const OperationFacts& operation) noexcept {
    if (status < 400) return served;
    if (status < 500 && is_filtered(e)) return filtered;
    const bool model = operation.asks_a_model;
    switch (status) {
        case 400:
        case 422:
            if (icontains(e.code, "operationnotsupported")) return model ? not_supported : refused;
            if (is_out_of_quota(e)) return no_quota;
            if (contains_any(e.message, account_messages)) return unauthorized;
            return model && lacks_model(e) ? not_deployed : refused;
        case 410:  // a model that was withdrawn
            return model && lacks_model(e) ? not_deployed : refused;
        case 404:
            if (!model) return refused;
            return lacks_model(e) ? not_deployed : not_found;
        case 401:
        case 402:
            return unauthorized;
        case 403:
            return model && (lacks_model(e) || may_not_use_model(e)) ? not_deployed : unauthorized;
        case 409:
            return model ? server_error : refused;
        case 408:
        case 421:
        case 424:
        case 425:
        case 499:
            return server_error;
        case 429:
            return throttle(e);
        case 501:
        case 505:
            return not_implemented;
        default:
            return status < 500 ? refused : server_error;
    }
}

/// An error whose status says nothing: inside a stream, or under a 200.
Verdict by_words(const Evidence& e, const OperationFacts& operation) noexcept {
    if (is_filtered(e)) return filtered;
    for (const std::string_view number : {e.code, e.type})
        if (const auto status = parse_int<unsigned>(number); status && *status >= 400 && *status < 600)
            return by_status(*status, e, operation);
    for (const std::string_view word : {e.code, e.type}) {
        if (word.empty()) continue;
        if (is_out_of_quota(e)) return no_quota;
        if (contains_any(word, no_model_words)) return operation.asks_a_model ? not_deployed : refused;
        if (contains_any(word, credential_words)) return unauthorized;
        if (contains_any(word, throttle_words) || is_any(word, throttle_types)) return throttle(e);
        if (contains_any(word, server_words)) break;
        if (contains_any(word, request_words)) return refused;
    }
    if (!e.param.empty() || contains_any(e.message, context_words)) return refused;
    Verdict verdict = server_error;
    if (e.came == Came::answer) verdict.disclosure = Disclosure::hidden;  // it says 200
    return verdict;
}

Verdict judge(const Evidence& e, const OperationFacts& operation) noexcept {
    switch (e.came) {
        case Came::answer:
            break;
        case Came::stream_error:
            return by_words(e, operation);
        case Came::no_connection:
            return no_connection;
        case Came::no_proxy:
            return no_proxy;
        case Came::cut:
        case Came::malformed:
            return broken;
        case Came::timed_out:
            return timed_out;
        case Came::no_credential:
            return unauthorized;
        case Came::local_limit:
            return local;
        case Came::client_left:
            return cancelled;
    }
    // To a login page.
    if (e.status >= 300 && e.status < 400 && e.status != 304 && operation.answers_json) return broken;
    if (e.status != 200) return by_status(e.status, e, operation);
    // A thing that is looked at may itself have failed.
    if (e.body == BodyShape::error)
        return operation.asks_a_model || operation.answers_json ? by_words(e, operation) : served;
    const bool no_answer = e.body == BodyShape::empty || e.body == BodyShape::html;
    return no_answer && operation.answers_json ? broken : served;
}

}  // namespace

Verdict blame(const Evidence& evidence, const OperationFacts& operation) noexcept {
    Verdict verdict = judge(evidence, operation);
    // What has been shown cannot be taken back (docs/routing.md, "Late commit").
    if (evidence.output_sent) verdict.elsewhere = false;
    return verdict;
}

}  // namespace spillway::routing
