#pragma once
/// What a reload did: for the log and for POST /api/reload.
///
/// Plain values. Thread rule: as values.
#include <string>
#include <vector>

#include "config/describe.hpp"

namespace spillway::gateway {

/// The settings that a new configuration changed at once, and those that wait for a restart.
struct Reloaded {
    std::vector<config::Difference> changed;
    std::vector<config::Difference> needs_restart;
};

struct ReloadReport {
    std::string failure;                ///< why the old configuration stays in use; empty: it does not
    std::vector<std::string> problems;  ///< errors and warnings of the file, a line each
    Reloaded done;
};

/// `{"reloaded":true,"changed":[…],"needs_restart":[…],"problems":[…]}`
[[nodiscard]] std::string reload_json(const ReloadReport& report);

}  // namespace spillway::gateway
