#pragma once
/// The result of a reload, for the log and for POST /api/reload.
///
/// Thread rule: plain values. Errors: ReloadReport::failure.
#include <string>
#include <vector>

#include "config/describe.hpp"

namespace spillway::gateway {

/// The settings that took effect at once, and those that need a restart.
struct Reloaded {
    std::vector<config::Difference> changed;
    std::vector<config::Difference> needs_restart;
};

struct ReloadReport {
    std::string failure;                ///< why the old configuration stays in use; empty if it does not
    std::vector<std::string> problems;  ///< errors and warnings of the file, one per line
    Reloaded done;
};

/// `{"reloaded":true,"changed":[…],"needs_restart":[…],"problems":[…]}`
[[nodiscard]] std::string reload_json(const ReloadReport& report);

}  // namespace spillway::gateway
