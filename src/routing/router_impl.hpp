#pragma once
/// The inside of a Router, for its own .cpp files only.
/// Thread rule: as Router. Errors: none.
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "config/gateway.hpp"
#include "routing/backend_state.hpp"
#include "routing/deployment_table.hpp"
#include "routing/priority_group.hpp"
#include "routing/retry_budget.hpp"
#include "routing/router.hpp"
#include "routing/state_change.hpp"
#include "routing/suspects.hpp"

namespace spillway::routing {

struct Router::Impl {
    Impl(std::span<const config::BackendConfig> configs, const config::RetryConfig& retry_config, Options how,
         const Impl* before);

    void group_by_priority();
    [[nodiscard]] Duration cool_down(const Outcome& outcome, Reason reason) const noexcept;
    /// Whether another backend could serve the deployment.
    [[nodiscard]] bool has_another(const Lease& lease, Mono now) const noexcept;
    /// Whether one of a better priority is in rotation.
    [[nodiscard]] bool passes_over(std::uint32_t priority) const noexcept;

    config::RetryConfig retry;
    std::vector<std::unique_ptr<BackendState>> backends;
    std::deque<PriorityGroup> groups;  ///< lowest number first
    RetryBudget budget;
    DeploymentTable table;
    Suspects suspects;
    StateChanges changes;
    const Options options;
};

}  // namespace spillway::routing
