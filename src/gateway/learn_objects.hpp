#pragma once
/// What answers teach of things that live on one resource: which were made, by whom and where, which are
/// gone.
///
/// Ownership: within one attempt. Thread rule: its worker's thread. Errors: none.
#include <string_view>

#include "gateway/attempt.hpp"

namespace spillway::gateway {

/// Whether the answer to a request may have an id by which it is asked for later.
[[nodiscard]] bool may_have_id(const Asked& asked) noexcept;
/// From a whole answer that serves.
void learn_objects(RequestParts& parts, std::string_view answer, routing::BackendIndex backend);
/// From the Location of an answer whose body does not tell what was made (a call).
void learn_location(RequestParts& parts, std::string_view location, routing::BackendIndex backend);
/// From how a stream begins, or an answer that is not held. The id of what it makes, if it does.
std::string_view learn_from_beginning(RequestParts& parts, std::string_view beginning,
                                      routing::BackendIndex backend);

}  // namespace spillway::gateway
