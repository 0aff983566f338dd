#pragma once
/// The state of work that continues after its answer: a background response, a batch, a run. Such work has an
/// id and a status, and its usage is part of a later answer about it.
///
/// Fields: OpenAI API reference (responses: `status`, `usage`; batches; runs).
/// Ownership: `id` views the text. Thread rule: free functions, safe everywhere. Errors: any other
/// answer has no id and is `other`.
#include <cstdint>
#include <string_view>

namespace spillway::api {

enum class WorkStatus : std::uint8_t {
    other,      ///< not stated, or not known
    under_way,  ///< queued, in progress, validating or cancelling
    over,       ///< complete, incomplete, cancelled or expired: its usage is known, or never will be
    failed,     ///< over, without output
};

struct WorkState {
    std::string_view id;  ///< raw, as between its quotes
    WorkStatus status = WorkStatus::other;
};

/// Reads the object `json`; only its top-level members count.
[[nodiscard]] WorkState read_work_state(std::string_view json) noexcept;

}  // namespace spillway::api
