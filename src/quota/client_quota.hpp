#pragma once
/// Admission of clients: reserve before the request, settle after it.
///
///     Refusal why;
///     if (auto grant = quotas.admit({&client, user, team}, amounts, now, why)) …
///     grant->settle(used, now);      // or destroy it if the request used nothing
///
/// A request has up to three subjects (client, team, user); all admit it or none does. Fair sharing
/// (client_fair.hpp) is checked first. Users are created when first seen, so they come last, after client and
/// team have admitted the request: a refused request leaves no trace.
///
/// Subjects are not kept for ever: a user with no usage that still counts, and a client or team that the
/// latest configuration does not name, is removed once no SubjectRef refers to it.
///
/// Ownership: owns all subjects; whoever keeps one that may be removed holds a SubjectRef. Grants and
/// SubjectRefs must not outlive it. Thread rule: admit() and Grants from any thread, without locks; looking
/// up or creating subjects takes a lock, so callers keep the result. Errors: none.
#include <boost/container/static_vector.hpp>
#include <functional>
#include <list>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/packed_heap.hpp"
#include "base/pen.hpp"
#include "base/strings.hpp"
#include "quota/client_fair.hpp"
#include "quota/client_subject.hpp"

namespace spillway::quota {

class ClientQuotas;

using Subjects = boost::container::static_vector<SubjectRef, 4>;

/// What was reserved for one request. The first subject is the client.
class Grant {
public:
    Grant() = default;
    Grant(Grant&& other) noexcept;
    Grant& operator=(Grant&& other) noexcept;
    ~Grant() { release(); }

    /// Once, at the request's end.
    void settle(const Amounts& used, Now now) noexcept;
    /// The request is over but its usage is not known yet: the reservation stays until it is settled.
    void leave_flight() noexcept;
    /// As if the request had never been made.
    void undo() noexcept;
    /// The request used nothing; it still counts as a request.
    void release() noexcept;
    [[nodiscard]] const Subjects& subjects() const noexcept { return subjects_; }
    [[nodiscard]] const Amounts& reserved() const noexcept { return reserved_; }
    [[nodiscard]] explicit operator bool() const noexcept { return quotas_ != nullptr; }

private:
    friend class ClientQuotas;
    ClientQuotas* quotas_ = nullptr;
    Subjects subjects_;
    std::array<LimitedPeriods, Subjects::static_capacity> limited_{};  ///< by subject
    Amounts reserved_;
    Now at_{};
    bool in_flight_ = false;
};

/// The limits per minute as the client sees them: those of its subject with the least left.
struct Terms {
    struct Line {
        std::int64_t limit = 0;
        std::int64_t remaining = 0;
        Duration reset{};  ///< until all usage has expired
    };
    std::optional<Line> requests;
    std::optional<Line> tokens;
};
[[nodiscard]] Terms terms(const Subjects& subjects, Now now) noexcept;
/// `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` as OpenAI writes them (resets like `1m2s`).
void append_fields(Pen& pen, const Terms& terms);

class ClientQuotas {
public:
    /// Maximum number of users at a time. One client may have at most as many as there are places left, so
    /// that no client can use them all up.
    static constexpr std::size_t kMaxUsers = 100'000;

    ClientQuotas() = default;
    ClientQuotas(const ClientQuotas&) = delete;
    ClientQuotas& operator=(const ClientQuotas&) = delete;

    /// Sets `limits` if the subject is new or `configured` (at each reload).
    Subject& find_or_add(SubjectKind kind, std::string_view name, const SubjectLimits& limits,
                         bool configured = false);
    /// A key with limits of its own, which are set if they are given. It stays until release(), whatever is
    /// reloaded.
    [[nodiscard]] SubjectRef key(std::string_view id, const SubjectLimits* limits = nullptr);
    /// A key that is no more, or has no limits any more; null: none.
    void release(Subject* key) noexcept;
    /// The user of that name among `owner`'s, or, if `owner` is empty, among those named by tokens or a
    /// trusted proxy. Null if there is no room for a new one.
    [[nodiscard]] SubjectRef user(std::string_view owner, std::string_view name, const SubjectLimits& limits,
                                  Now now);
    /// Null if there is none. For a user, `name` is its key().
    [[nodiscard]] Subject* find(SubjectKind kind, std::string_view name) const;
    [[nodiscard]] std::optional<Grant> admit(const Subjects& subjects, const Amounts& amounts, Now now,
                                             Refusal& refusal) noexcept;
    /// Adds the user to a request that client and team have admitted. If the user refuses it, or is null (no
    /// room), the grant is undone.
    [[nodiscard]] bool add_user(Grant& grant, const SubjectRef& user, Now now, Refusal& refusal) noexcept;
    [[nodiscard]] FairShare& fair() noexcept { return fair_; }

    /// Call before a configuration registers its clients and teams; those it does not name may then be
    /// removed.
    void begin_configuration() noexcept;
    /// Removes whichever may be among the next `most` subjects. Returns how many are left.
    std::size_t forget(Now now, std::size_t most);

    /// Changes with every new subject and every reload.
    [[nodiscard]] std::uint64_t generation() const noexcept {
        return generation_.load(std::memory_order_acquire);
    }
    void each(const std::function<void(Subject&)>& visit) const;
    void each(SubjectKind kind, const std::function<void(Subject&)>& visit) const;
    /// The first `most` subjects after `after`, ordered by kind and key. Null for `after`: from the
    /// beginning.
    struct Place {
        SubjectKind kind = SubjectKind::client;
        std::string key;
    };
    [[nodiscard]] std::vector<SubjectRef> page(const Place* after, std::size_t most) const;
    [[nodiscard]] std::size_t size() const;
    /// Called for each new subject, under the lock (for a store that shares or restores limits).
    void on_new(std::function<void(Subject&)> call);

private:
    friend class Grant;
    using List = std::pmr::list<Subject>;
    /// The keys view the subjects' own.
    using Map = std::unordered_map<std::string_view, Subject*>;
    /// How many subjects are checked for each new user, and when there is no room.
    static constexpr std::size_t kFewLooks = 8;
    static constexpr std::size_t kManyLooks = 64;
    /// Subject::configured_ of a key until it is released.
    static constexpr std::uint32_t kKept = 0xffffffffU;

    Subject& present(SubjectKind kind, std::string_view name, const SubjectLimits& limits, bool set,
                     std::uint32_t configured);
    Subject& add(SubjectKind kind, std::string_view owner, std::string_view name,
                 const SubjectLimits& limits);
    [[nodiscard]] bool may_go(Subject& subject, Now now) const noexcept;
    std::size_t forget_some(Now now, std::size_t most);
    void erase(List::iterator subject);

    mutable std::mutex mutex_;
    List subjects_{packed_heap()};
    List::iterator hand_ = subjects_.end();  ///< the next to be checked
    std::array<Map, 4> by_kind_;
    std::unordered_map<std::string, std::size_t, StringHash, std::equal_to<>> users_of_;  ///< by owner
    std::uint32_t configuration_ = 0;
    FairShare fair_;  // refers to subjects: destroyed before them
    std::function<void(Subject&)> on_new_;
    std::atomic<std::uint64_t> generation_{0};
};

}  // namespace spillway::quota
