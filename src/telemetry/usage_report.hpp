#pragma once
/// Parses queries to the ledger, and prints the totals as JSON or as a table: for /api/usage and
/// `spillway usage`.
/// Thread rule: free functions. Errors: returned, with what was expected.
#include <span>
#include <string>
#include <string_view>

#include "telemetry/ledger_query.hpp"

namespace spillway::telemetry {

/// `client,deployment,hour`: any of client, user, team, deployment, backend, model, hour, minute.
/// Empty: none.
[[nodiscard]] Result<UsageGroups> parse_groups(std::string_view text);

/// A moment: `2025-01-31`, `2025-01-31T12:00:00Z`, Unix seconds, or a time ago such as `24h`, `30m`, `7d`.
[[nodiscard]] Result<Wall> parse_moment(std::string_view text, Wall now);

/// A member of the objects in usage_json()'s "usage".
struct UsageField {
    std::string_view name;
    std::string_view help;
    bool key;       ///< present when grouped by it
    bool nullable;  ///< may be unknown
};
[[nodiscard]] std::span<const UsageField> usage_fields();

/// {"from","to","usage":[{keys grouped by…,"requests","failed","estimated","prompt_tokens",…,"cost"}…]}
[[nodiscard]] std::string usage_json(const UsageQuery& query, std::span<const UsageTotal> totals);
/// Columns with a heading, one line per group.
[[nodiscard]] std::string usage_table(const UsageQuery& query, std::span<const UsageTotal> totals);

}  // namespace spillway::telemetry
