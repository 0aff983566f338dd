#pragma once
/// The objects of the admin plane's answers, described once: a row for each member, from which come the
/// answer's JSON and the TypeScript types of the dashboard (web/dashboard/src/admin.ts, made by
/// scripts/generate). A new number for the dashboard is one row here.
///
/// Ownership: a source (BackendRow …) refers to what it is made of. Thread rule: free functions and
/// constants. Errors: none.
#include <span>
#include <string>

#include "base/json.hpp"
#include "config/gateway.hpp"
#include "gateway/answers.hpp"
#include "quota/client_quota.hpp"
#include "routing/router.hpp"

namespace spillway::gateway::schema {

struct DeploymentRow {
    const routing::BackendView::Deployment& view;
    Wall now;
};
struct BackendRow {
    const config::BackendConfig& config;
    const routing::BackendView& view;
    std::string_view lack;  ///< why there is no credential; empty: there is one
    Wall now;
};
struct LimitRow {
    double limit;
    double used;
    bool shared;
};
struct ClientRow {
    quota::Subject& subject;
    quota::Now now;
};
struct TotalsRow {
    std::span<const routing::BackendView> backends;
    const Answers& answers;
    std::int64_t in_flight;
};
struct ConfigRow {
    const config::GatewayConfig& config;
    std::string_view version;
};

[[nodiscard]] std::span<const JsonField<BackendRow>> backend() noexcept;
[[nodiscard]] std::span<const JsonField<ClientRow>> client() noexcept;
[[nodiscard]] std::span<const JsonField<TotalsRow>> totals() noexcept;
[[nodiscard]] std::span<const JsonField<ConfigRow>> configuration() noexcept;

/// The whole of web/dashboard/src/admin.ts.
[[nodiscard]] std::string typescript();

}  // namespace spillway::gateway::schema
