#pragma once
/// Errors in OpenAI's shape: {"error":{"message","type","param","code"}}, written for clients and read
/// from backends (Azure: code is a string, sometimes a number in others; content filter: code
/// "content_filter" or innererror.code "ResponsibleAIPolicyViolation").
/// Thread rule: free functions, safe everywhere.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spillway::api {

/// Empty `code` or `param` are written as null.
[[nodiscard]] std::string error_json(std::string_view message, std::string_view type, std::string_view code,
                                     std::string_view param = {});

struct ApiError {
    std::string code;  ///< a number is given as its text
    std::string message;
    std::string type;
    std::string param;
    bool content_filter = false;  ///< the prompt was refused: never retried elsewhere
};

/// The error of an answer's body; nothing if it is not JSON with an `error` (or, as Azure's front end
/// writes it, {"statusCode":…,"message":…}, or as vLLM and Mistral do, {"object":"error","message":…}).
[[nodiscard]] std::optional<ApiError> parse_error(std::string_view body);

/// Ends a chat/completions stream that broke after its commit: `data: {"error":{…}}\n\n`. The official
/// clients raise an APIError for it.
[[nodiscard]] std::string sse_error_chat(std::string_view message, std::string_view type,
                                         std::string_view code);

/// The same for the Responses API: `event: error\ndata: {"type":"error","code":…,"message":…,"param":null,
/// "sequence_number":n}\n\n`.
[[nodiscard]] std::string sse_error_responses(std::string_view message, std::string_view code,
                                              std::int64_t sequence_number);

}  // namespace spillway::api
