#pragma once
/// Refuses by its head what would be refused once its body was read: memory, time and the line are kept for
/// who can be served.
/// Thread rule: the worker's; a free function. Errors: none.
#include <optional>

#include "gateway/asked.hpp"
#include "gateway/busy_clients.hpp"
#include "gateway/ending.hpp"
#include "gateway/snapshot.hpp"
#include "quota/client_subject.hpp"

namespace spillway::gateway {

struct HeadRefusal {
    Ending ending = Ending::refused;
    Refusal why;
};

/// For a request of a known client whose body is not read yet. nullopt: it has to be read.
[[nodiscard]] std::optional<HeadRefusal> refuse_by_head(const Snapshot& snapshot, BusyClients& busy,
                                                        const ComingBodies& coming, const Asked& asked,
                                                        quota::Now now);

/// The refusal where all who could serve have as many requests in flight as they sustain.
[[nodiscard]] Refusal busy_refusal(Duration retry_in);

}  // namespace spillway::gateway
