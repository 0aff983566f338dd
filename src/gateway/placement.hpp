#pragma once
/// Where a request has to go for the things that it names, and whether it may have them: what one client made
/// is for the others as if it were not there (`tenancy: isolated`), and what lies on one resource can be used
/// only there.
///
/// Ownership: views what it is handed. Thread rule: decide_place() is pure; find_place() belongs to the
/// worker's thread. Errors: a Refusal in the service's own words.
#include <optional>
#include <span>
#include <string>

#include "base/task.hpp"
#include "gateway/asked.hpp"
#include "gateway/snapshot.hpp"
#include "store/object_directory.hpp"

namespace spillway::gateway {

/// Who has what the request makes; see config `tenancy` for who that is.
[[nodiscard]] store::Owner owner_of(const Asked& asked) noexcept;

struct Placement {
    std::optional<Refusal> refusal;
    std::optional<routing::BackendIndex> pinned;
    bool own = false;  ///< all is known as the owner's
};
/// `known`: what is known of each of `ids`.
[[nodiscard]] Placement decide_place(const Snapshot& snapshot, const Asked& asked,
                                     std::span<const std::string> ids,
                                     std::span<const std::optional<store::ObjectPlace>> known);

/// The backend where an owner's things meet: where there are some already, else one that its name chooses.
[[nodiscard]] std::optional<routing::BackendIndex> home_of(const Snapshot& snapshot,
                                                           std::span<const store::ResourceNumber> places,
                                                           store::OwnerHash owner) noexcept;

/// Whether find_place() has something to find.
[[nodiscard]] bool needs_place(const Asked& asked, std::string_view method) noexcept;
/// Fills in asked.affinity: from memory, or else from the store.
Task<std::optional<Refusal>> find_place(const Snapshot& snapshot, store::ObjectDirectory& objects,
                                        Asked& asked);

/// Whether it asks for a list of things that has to be put together: of what is the client's own, or of
/// several resources' lists.
[[nodiscard]] bool is_listing(const Asked& asked, std::string_view method, const Snapshot& snapshot) noexcept;
/// The backends that such a list is asked of, in order.
[[nodiscard]] std::vector<routing::BackendIndex> list_places(const Snapshot& snapshot,
                                                             const store::ObjectDirectory& objects,
                                                             const Asked& asked);

}  // namespace spillway::gateway
