#include "emulator/azure_error.hpp"

#include <fmt/format.h>

#include "emulator/schema_value.hpp"

namespace spillway::emulator {
namespace {

ErrorAnswer coded(unsigned status, std::string_view code, std::string_view message) {
    return {status, fmt::format(R"({{"error":{{"code":{},"message":{}}}}})", json_quoted(code),
                                json_quoted(message))};
}

ErrorAnswer typed(unsigned status, std::string_view message, std::string_view type, std::string_view param,
                  std::string_view code) {
    const auto or_null = [](std::string_view s) { return s.empty() ? "null" : json_quoted(s); };
    return {status, fmt::format(R"({{"error":{{"message":{},"type":{},"param":{},"code":{}}}}})",
                                json_quoted(message), json_quoted(type), or_null(param), or_null(code))};
}

}  // namespace

ErrorAnswer wrong_key() {
    return coded(
        401, "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
        "valid key for an active subscription and use a correct regional API endpoint for your "
        "resource.");
}

ErrorAnswer keys_disabled() {
    return coded(403, "AuthenticationTypeDisabled",
                 "Key based authentication is disabled for this resource.");
}

ErrorAnswer wrong_token() {
    return {401,
            R"({"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is )"
            R"(incorrect (https://cognitiveservices.azure.com), or have expired."})"};
}

ErrorAnswer no_deployment() {
    return coded(404, "DeploymentNotFound",
                 "The API deployment for this resource does not exist. If you created the deployment within "
                 "the last 5 minutes, please wait a moment and try again.");
}

ErrorAnswer no_resource() {
    return coded(404, "404", "Resource not found");
}

ErrorAnswer wrong_method() {
    return coded(405, "405", "Method not allowed");
}

ErrorAnswer wrong_model(Operation operation, std::string_view model) {
    const std::string_view name = operation == Operation::chat          ? "chatCompletion"
                                  : operation == Operation::completions ? "completion"
                                  : operation == Operation::embeddings  ? "embeddings"
                                                                        : "responses";
    return coded(
        400, "OperationNotSupported",
        fmt::format("The {} operation does not work with the specified model, {}. Please choose "
                    "different model and try again. You can learn more about which models can be "
                    "used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993.",
                    name, model));
}

ErrorAnswer early_for_responses() {
    return coded(400, "BadRequest",
                 "Azure OpenAI Responses API is enabled only for api-version 2025-03-01-preview and later");
}

ErrorAnswer bad_request(std::string_view message) {
    return typed(400, message, "invalid_request_error", {}, {});
}

ErrorAnswer invalid_request(std::string_view message, std::string_view param, std::string_view code) {
    return typed(400, message, "invalid_request_error", param, code);
}

ErrorAnswer prompt_filtered() {
    return {
        400,
        R"({"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's )"
        R"(content management policy. Please modify your prompt and retry. To learn more about our content )"
        R"(filtering policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766",)"
        R"("type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":)"
        R"("ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":false,"severity":"safe"},)"
        R"("jailbreak":{"filtered":false,"detected":false},"self_harm":{"filtered":false,"severity":"safe"},)"
        R"("sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":true,"severity":"medium"}}}}})"};
}

ErrorAnswer sealed_elsewhere(std::string_view seal) {
    const std::string_view end = seal.substr(seal.size() - std::min<std::size_t>(seal.size(), 4));
    return typed(400,
                 fmt::format("The encrypted content {}...{} could not be verified.", seal.substr(0, 4), end),
                 "invalid_request_error", {}, "invalid_encrypted_content");
}

ErrorAnswer no_response(std::string_view id, bool as_previous) {
    if (as_previous)
        return typed(400, fmt::format("Previous response with id '{}' not found.", id),
                     "invalid_request_error", "previous_response_id", "previous_response_not_found");
    return typed(404, fmt::format("Response with id '{}' not found.", id), "invalid_request_error",
                 "response_id", {});
}

ErrorAnswer throttled(Operation operation, std::string_view api_version, Limit limit, std::int64_t seconds) {
    if (limit == Limit::utilization)
        return coded(
            429, "429",
            fmt::format("The provisioned throughput of this deployment is used up. Please retry after "
                        "{} second{}.",
                        seconds, seconds == 1 ? "" : "s"));
    return coded(
        429, "429",
        fmt::format(
            "Requests to the {} Operation under Azure OpenAI API version {} have exceeded {} rate limit "
            "of your current OpenAI S0 pricing tier. Please retry after {} second{}. Please go here: "
            "https://aka.ms/oai/quotaincrease if you would like to further increase the default rate "
            "limit.",
            operation_name(operation), api_version.empty() ? "v1" : api_version,
            limit == Limit::requests ? "call" : "token", seconds, seconds == 1 ? "" : "s"));
}

ErrorAnswer status_error(unsigned status, std::string_view message) {
    if (!message.empty()) return coded(status, fmt::format("{}", status), message);
    switch (status) {
        case 401:
            return wrong_key();
        case 403:
            return coded(403, "403", "Access denied due to Virtual Network/Firewall rules.");
        case 404:
            return no_deployment();
        case 408:
            return coded(408, "Timeout", "The operation was timeout.");
        case 429:
            return coded(429, "429", "Rate limit is exceeded. Try again later.");
        case 500:
            return typed(500, "The server had an error while processing your request. Sorry about that!",
                         "server_error", {}, {});
        case 503:
            return coded(503, "ServiceUnavailable",
                         "The system is currently experiencing high demand and cannot process your request. "
                         "Please retry later.");
        default:
            return coded(status, fmt::format("{}", status), "The request could not be served.");
    }
}

}  // namespace spillway::emulator
