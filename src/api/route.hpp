#pragma once
/// What a request target asks for, and the same request spelt for a backend.
/// Three surfaces are known: `/openai/deployments/{d}/…?api-version=` and `/openai/…` (Azure OpenAI data
/// plane), `/openai/v1/…` (Azure v1 API), `/v1/…` (OpenAI). Fixed segments compare without regard to case.
///
/// A target that could leave a backend's base path is refused (`bad`): dot segments, plain or encoded
/// (RFC 3986 §5.2.4, §6.2.2), also with path parameters ("..;"), backslashes, control characters and spaces,
/// '#', empty segments ("//"), malformed escapes and escapes of escapes ("%252e"), letters or digits hidden
/// behind escapes outside the deployment, an encoded slash but in …/models/{name}.
///
/// Ownership: Route holds views into the target. Thread rule: free functions, safe everywhere; none throws
/// but for memory.
#include <cstdint>
#include <string>
#include <string_view>

namespace spillway::api {

enum class Operation : std::uint8_t {
    chat,         ///< …/chat/completions
    completions,  ///< …/completions
    embeddings,   ///< …/embeddings
    responses,    ///< …/responses (create; `…/responses/{id}` is other)
    other,        ///< anything else, proxied as is
};

enum class PathStyle : std::uint8_t {
    azure_deployment,  ///< /openai/deployments/{d}/…
    azure_v1,          ///< /openai/v1/…
    openai_v1,         ///< /v1/…
    azure_plain,       ///< /openai/… without a deployment
    unknown,           ///< none of these: proxied as is
};

/// What a backend speaks.
enum class TargetKind : std::uint8_t { azure, openai };

struct Route {
    Operation op = Operation::other;
    PathStyle style = PathStyle::unknown;
    std::string_view path;        ///< without the query
    std::string_view query;       ///< without the '?'
    std::string_view deployment;  ///< the raw segment inside `path`, maybe percent-encoded; empty: none
    std::string_view tail;        ///< what follows the surface's prefix, e.g. "/chat/completions"
    bool has_query = false;       ///< tells "/p?" from "/p"
    bool bad = false;             ///< refuse it (400): nothing else here is to be used
};

[[nodiscard]] Route classify(std::string_view target) noexcept;

/// Percent-decodes one path segment into `out` (replaced). False if an escape is malformed or the result
/// is empty, "." or "..", or holds a slash, a backslash or a control character.
[[nodiscard]] bool decode_segment(std::string_view raw, std::string& out);

/// Whether the upstream target names the deployment in its path; if not, the backend reads the body's
/// `model`, which is then where a deployment has to be written.
[[nodiscard]] bool deployment_in_path(TargetKind kind, std::string_view base_path,
                                      const Route& route) noexcept;

/// Appends the origin-form target for a backend: base path, path and query, in the surface that the
/// backend speaks. The one deployment segment is replaced by `new_deployment` (encoded as needed) unless
/// that is empty; nothing else in the path is touched. `base_path` comes from the configuration; a prefix
/// it shares with the path ("/v1", "/openai", "/openai/v1") is not doubled.
/// - openai, or a base path that ends with "/v1": every known surface becomes the v1 tail, and Azure's
///   `api-version` is dropped; the model goes into the body (see deployment_in_path).
/// - azure: "/v1/…" is asked at "/openai/v1/…"; the others as they are.
/// Precondition: !route.bad.
void append_target(std::string& out, TargetKind kind, std::string_view base_path, const Route& route,
                   std::string_view new_deployment);

[[nodiscard]] std::string_view to_string(Operation op) noexcept;
[[nodiscard]] std::string_view to_string(PathStyle style) noexcept;

}  // namespace spillway::api
