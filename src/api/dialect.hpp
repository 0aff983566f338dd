#pragma once
/// The protocol of one kind of backend: its targets, what the heads and bodies of its answers mean, and how
/// it counts its quota. A new kind is a file `dialect_NAME.cpp` with `const Dialect& NAME_dialect()`, and a
/// line in config/dialects.def; nothing else depends on a backend's kind.
///
/// Ownership: dialects are constants of the program. Thread rule: const and safe from any thread. Errors:
/// none.
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/rate_limit.hpp"
#include "api/route.hpp"
#include "api/stream_event.hpp"
#include "api/usage.hpp"
#include "config/backend.hpp"

namespace spillway::api {

/// How a backend counts its quota (quota/meter.hpp).
enum class QuotaModel : std::uint8_t {
    window,         ///< fixed windows of a minute (Azure OpenAI, standard deployments)
    strict_bucket,  ///< refills continuously, never overdrawn (OpenAI)
    lenient_bucket  ///< refills continuously, one request may overdraw it (provisioned throughput)
};

class Dialect {
public:
    Dialect() = default;
    Dialect(const Dialect&) = delete;
    Dialect& operator=(const Dialect&) = delete;
    virtual ~Dialect() = default;

    /// As in the configuration.
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    /// Whether the upstream target has the deployment in its path; if not, the backend reads the body's
    /// `model`, where the deployment has to be written then.
    [[nodiscard]] virtual bool deployment_in_path(std::string_view base_path,
                                                  const Route& route) const noexcept = 0;
    /// Appends the origin-form target: base path, path and query, for the API surface of the backend.
    /// Replaces the deployment segment by `deployment` (encoded as needed) unless that is empty; nothing else
    /// in the path changes. `base_path` comes from the configuration; a prefix it shares with the path
    /// ("/v1", "/openai", "/openai/v1") is not repeated. Precondition: !route.bad.
    virtual void append_target(std::string& out, std::string_view base_path, const Route& route,
                               std::string_view deployment) const = 0;
    [[nodiscard]] virtual QuotaModel quota_model(bool provisioned) const noexcept = 0;

    /// Whether all keys for one address reach the same files and answers: a resource's do, a provider's are
    /// of projects.
    [[nodiscard]] virtual bool keys_share_things() const noexcept { return false; }

    // Common to most services; a dialect that differs overrides them.
    [[nodiscard]] virtual RateLimits limits(const http::Fields& fields) const noexcept {
        return read_rate_limits(fields);
    }
    [[nodiscard]] virtual std::optional<Duration> wait_of(const http::Fields& fields,
                                                          Wall now) const noexcept {
        return retry_after(fields, now);
    }
    [[nodiscard]] virtual EventInfo classify(EventClassifier& classifier, const SseEvent& event) const {
        return classifier.classify(event);
    }
    [[nodiscard]] virtual std::optional<Usage> usage(std::string_view body) const { return find_usage(body); }
};

/// One accessor for each line of config/dialects.def.
#define SPILLWAY_DIALECT(name, key_style) [[nodiscard]] const Dialect& name##_dialect() noexcept;
#include "config/dialects.def"
#undef SPILLWAY_DIALECT

[[nodiscard]] const Dialect& dialect(config::BackendKind kind) noexcept;

/// Building blocks of append_target(), for dialects with the same API surface.
/// `{base}/v1{tail}`, without Azure's api-version.
void append_v1_target(std::string& out, std::string_view base_path, const Route& route);
/// The path as received, "/v1/…" becoming "/openai/v1/…", with the deployment replaced.
void append_azure_target(std::string& out, std::string_view base_path, const Route& route,
                         std::string_view deployment);
/// Whether the base path is that of the v1 API.
[[nodiscard]] bool is_v1_base(std::string_view base_path) noexcept;

}  // namespace spillway::api
