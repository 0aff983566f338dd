#pragma once
/// Errors in OpenAI's form, {"error":{"message","type","param","code"}}: written for clients, and read from
/// backends (code is a string at Azure, sometimes a number elsewhere; the content filter has the code
/// "content_filter" or the innererror.code "ResponsibleAIPolicyViolation").
/// Thread rule: free functions, safe everywhere.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spillway::api {

/// An empty `code` or `param` is written as null.
[[nodiscard]] std::string error_json(std::string_view message, std::string_view type, std::string_view code,
                                     std::string_view param = {});

struct ApiError {
    std::string code;  ///< a number as text
    std::string message;
    std::string type;
    std::string param;
    bool content_filter = false;  ///< the prompt was refused; never retried elsewhere
};

/// The error in an answer's body; nullopt if it is not JSON with an `error` (or {"statusCode":…,"message":…},
/// as from Azure's front end, or {"object":"error","message":…}, as from vLLM and Mistral).
/// `refusal`: the status says that it is one, so a `message` at the top is enough (Bedrock).
[[nodiscard]] std::optional<ApiError> parse_error(std::string_view body, bool refusal = false);

/// Ends a chat/completions stream that broke after its commit: `data: {"error":{…}}\n\n`. The official
/// clients raise an APIError for it.
[[nodiscard]] std::string sse_error_chat(std::string_view message, std::string_view type,
                                         std::string_view code);

/// The same for the Responses API: `event: error\ndata: {"type":"error","code":…,"message":…,"param":null,
/// "sequence_number":n}\n\n`.
[[nodiscard]] std::string sse_error_responses(std::string_view message, std::string_view code,
                                              std::int64_t sequence_number);

}  // namespace spillway::api
