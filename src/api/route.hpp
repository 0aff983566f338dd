#pragma once
/// What a request target asks for. How a backend is asked the same is its dialect's part (api/dialect.hpp).
/// Four surfaces are known: `/openai/deployments/{d}/…?api-version=` and `/openai/…` (Azure OpenAI data
/// plane), `/openai/v1/…` (Azure v1 API), `/v1/…` (OpenAI), `/models/…?api-version=` (Azure AI Model
/// Inference REST API reference). Fixed segments compare without regard to case.
///
/// A target that could leave a backend's base path is refused (`bad`): dot segments, plain or encoded
/// (RFC 3986 §5.2.4, §6.2.2), also with path parameters ("..;"), backslashes, control characters and spaces,
/// '#', empty segments ("//"), malformed escapes and escapes of escapes ("%252e"), letters or digits hidden
/// behind escapes outside the deployment, an encoded slash but in …/models/{name}.
///
/// Ownership: Route holds views into the target. Thread rule: free functions, safe everywhere; none throws
/// but for memory.
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
    model_inference,   ///< /models/chat/completions …: Azure AI Model Inference, the model in the body
    bare,              ///< /chat/completions, /responses, /models …: the v1 API without its prefix
    unknown,           ///< none of these: proxied as is
};

struct Route {
    const Operation* operation = &operations::other;
    PathStyle style = PathStyle::unknown;
    std::string_view path;        ///< without the query
    std::string_view query;       ///< without the '?'
    std::string_view deployment;  ///< the raw segment inside `path`, maybe percent-encoded; empty: none
    std::string_view tail;        ///< what follows the surface's prefix, e.g. "/chat/completions"
    bool has_query = false;       ///< tells "/p?" from "/p"
    bool bad = false;             ///< refuse it (400): nothing else here is to be used
};

/// `method` decides between an operation and what else lies at its path (a list, say).
[[nodiscard]] Route classify(std::string_view target, std::string_view method = "POST") noexcept;

/// The row of `operations` with this tail and method, else operations::other.
[[nodiscard]] const Operation& find_operation(
    std::string_view tail, std::string_view method,
    std::span<const Operation* const> operations = kOperations) noexcept;

/// Percent-decodes one path segment into `out` (replaced). False if an escape is malformed or the result
/// is empty, "." or "..", or holds a slash, a backslash or a control character.
[[nodiscard]] bool decode_segment(std::string_view raw, std::string& out);

[[nodiscard]] std::string_view to_string(PathStyle style) noexcept;

}  // namespace spillway::api
