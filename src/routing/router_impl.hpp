#pragma once
/// What a Router holds; shared by router.cpp and picker.cpp and by nobody else.
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

namespace spillway::routing {

struct Router::Impl {
    Impl(std::span<const config::BackendConfig> configs, const config::RetryConfig& retry_config,
         Options how);

    [[nodiscard]] Duration cool_down(const Outcome& outcome) const noexcept;
    /// Is there one of a better priority, in rotation?
    [[nodiscard]] bool passes_over(std::uint32_t priority) const noexcept;

    config::RetryConfig retry;
    std::vector<std::unique_ptr<BackendState>> backends;
    std::deque<PriorityGroup> groups;  ///< lowest number first
    RetryBudget budget;
    DeploymentTable table;
    const Options options;
};

}  // namespace spillway::routing
