#pragma once
/// Where it is kept which resource has a thing, and who made it: what a database has to do for the
/// ObjectDirectory (store/sqlite_objects.hpp, store/postgres_objects.hpp).
///
/// Ownership: values. Thread rule: an ObjectStore belongs to one thread; each thread opens its own. Errors: a
/// Result says what the database said; after one the same call may be made again.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace spillway::store {

/// Whose something is. Equal names are the same owner.
struct OwnerName {
    std::string client;
    std::string team;  ///< empty but where a token or a trusted field names one
    friend bool operator==(const OwnerName&, const OwnerName&) = default;
};

struct ObjectRow {
    std::string resource;
    OwnerName owner;
};

/// A resource where an owner keeps things.
struct PlaceRow {
    std::int64_t number = 0;  ///< in the order in which they came to be
    OwnerName owner;
    std::string resource;
};

/// What became known of a thing. Views what the caller keeps.
struct ObjectChange {
    enum class What : std::uint8_t {
        made,   ///< it was made just now: whatever is known of that id is replaced
        found,  ///< it belongs to the owner unless it is known as somebody's
        gone,   ///< it was deleted
        place,  ///< the owner keeps things at the resource; without an id
    };
    What what = What::made;
    std::string_view id;
    std::string_view resource;
    std::string_view client;
    std::string_view team;
    std::optional<Wall> expires;  ///< when it may be forgotten; nothing: never
};

class ObjectStore {
public:
    ObjectStore() = default;
    ObjectStore(const ObjectStore&) = delete;
    ObjectStore& operator=(const ObjectStore&) = delete;
    virtual ~ObjectStore() = default;

    /// In the order of `ids`; nothing: it is not known.
    [[nodiscard]] virtual Result<std::vector<std::optional<ObjectRow>>> find(
        std::span<const std::string> ids) = 0;
    /// All or nothing.
    [[nodiscard]] virtual Result<void> write(std::span<const ObjectChange> changes) = 0;
    /// Those after that number, in their order.
    [[nodiscard]] virtual Result<std::vector<PlaceRow>> places(std::int64_t after) = 0;
    /// Forgets some of what has expired.
    [[nodiscard]] virtual Result<void> expire(Wall now) = 0;
};

/// `create`: make the database if there is none; without it, no database is null.
using OpenObjects = std::function<Result<std::unique_ptr<ObjectStore>>(bool create)>;

}  // namespace spillway::store
