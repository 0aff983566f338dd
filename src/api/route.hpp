#pragma once
/// Parses a request target. A backend's dialect writes the target for the backend (api/dialect.hpp).
/// Four API surfaces are known: `/openai/deployments/{d}/…?api-version=` and `/openai/…` (Azure OpenAI data
/// plane), `/openai/v1/…` (Azure v1 API), `/v1/…` (OpenAI), `/models/…?api-version=` (Azure AI Model
/// Inference REST API reference). Fixed segments are case-insensitive.
///
/// A target that could leave a backend's base path is refused (`bad`): dot segments, plain or encoded
/// (RFC 3986 §5.2.4, §6.2.2), also with path parameters ("..;"), backslashes, control characters and spaces,
/// '#', empty segments ("//"), malformed escapes and escapes of escapes ("%252e"), escaped letters or digits
/// outside the deployment, and an encoded slash except in …/models/{name}.
///
/// Ownership: a Route views the target. Thread rule: free functions, safe everywhere. Errors: `bad`; only
/// std::bad_alloc is thrown.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "api/operation.hpp"

namespace spillway::api {

enum class PathStyle : std::uint8_t {
    azure_deployment,  ///< /openai/deployments/{d}/…
    azure_v1,          ///< /openai/v1/…
    openai_v1,         ///< /v1/…
    azure_plain,       ///< /openai/… without a deployment
    model_inference,   ///< /models/chat/completions …: Azure AI Model Inference, model in the body
    bare,              ///< /chat/completions, /responses, /models …: the v1 API without its prefix
    unknown,           ///< none of these: a 404
};

struct Route {
    const Operation* operation = &operations::other;
    PathStyle style = PathStyle::unknown;
    std::string_view path;        ///< without the query
    std::string_view query;       ///< without the '?'
    std::string_view deployment;  ///< the raw segment of `path`, perhaps percent-encoded; empty: none
    std::string_view tail;        ///< what follows the API's prefix, e.g. "/chat/completions"
    bool has_query = false;       ///< distinguishes "/p?" from "/p"
    bool bad = false;             ///< refuse it (400); nothing else here may be used
};

/// `method` distinguishes an operation from others at the same path (a list, say).
[[nodiscard]] Route classify(std::string_view target, std::string_view method = "POST") noexcept;

/// The row of `operations` with this tail and method, or operations::other.
[[nodiscard]] const Operation& find_operation(
    std::string_view tail, std::string_view method,
    std::span<const Operation* const> operations = kOperations) noexcept;

/// Percent-decodes one path segment into `out` (overwritten). False if an escape is malformed, or the result
/// is empty, "." or "..", or contains a slash, a backslash or a control character.
[[nodiscard]] bool decode_segment(std::string_view raw, std::string& out);

[[nodiscard]] std::string_view to_string(PathStyle style) noexcept;

}  // namespace spillway::api
