#pragma once
/// What an answer says of work that goes on after it: a background response, a batch, a run. Such work has an
/// id and a status, and its usage comes with a later look at it.
///
/// Fields: OpenAI API reference (responses: `status`, `usage`; batches; runs).
/// Ownership: `id` views the text. Thread rule: free functions, safe everywhere. Errors: what is no such
/// answer has no id and is `other`.
#include <cstdint>
#include <string_view>

namespace spillway::api {

enum class WorkStatus : std::uint8_t {
    other,      ///< not told, or not known
    under_way,  ///< queued, in progress, being validated or cancelled
    over,       ///< complete, incomplete, cancelled or expired: what it used is known, or never will be
    failed,     ///< over, without output
};

struct WorkState {
    std::string_view id;  ///< raw, as it stands between its quotes
    WorkStatus status = WorkStatus::other;
};

/// Of the object that `json` is; only its own members count.
[[nodiscard]] WorkState read_work_state(std::string_view json) noexcept;

}  // namespace spillway::api
