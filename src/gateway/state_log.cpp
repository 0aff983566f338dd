#include "gateway/state_log.hpp"

#include <fmt/format.h>

#include "api/operation.hpp"
#include "routing/verdict.hpp"

namespace spillway::gateway {
namespace {

/// See api::operation_index().
std::string_view operation_name(int index) noexcept {
    const auto row = static_cast<std::size_t>(index) - 1;
    return index > 0 && row < api::kOperations.size() ? api::kOperations[row]->name : "other operations";
}

}  // namespace

std::string describe(const routing::StateChange& change) {
    std::string out = fmt::format("backend '{}'", change.backend);
    if (!change.deployment.empty()) out += fmt::format(", deployment '{}'", change.deployment);
    if (change.operation >= 0) out += fmt::format(", {}", operation_name(change.operation));
    if (change.limit == 0U) return out + " sustains what is asked of it again: no limit in flight";
    if (change.limit)
        return out + fmt::format(
                         " has more to do than it sustains ({}): limited to {} requests in flight, adapting",
                         change.detail, *change.limit);
    if (!change.ejected) return out + " serves again";
    out += fmt::format(" is out for {:.1f} s: {}", to_seconds(change.out), routing::to_string(change.reason));
    if (!change.detail.empty()) out += fmt::format(" ({})", change.detail);
    return out;
}

}  // namespace spillway::gateway
