#pragma once
/// Admission of clients: reserve before, settle after.
///
///     Refusal why;
///     if (auto grant = quotas.admit({&client, user, team}, amounts, now, why)) …
///     grant->settle(used, now);      // or destroy it: the request used nothing
///
/// A request has up to three subjects (client, user, team); it is admitted by all or by none. Fair sharing
/// (client_fair.hpp) is asked first.
///
/// Ownership: owns all subjects, which live as long as it; a Grant must not outlive it. Thread rule: admit()
/// and Grants from any thread, without locks; find_or_add() takes a lock, so callers keep what it returns.
/// Errors: none.
#include <boost/container/static_vector.hpp>
#include <deque>
#include <functional>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/huge_pages.hpp"
#include "base/pen.hpp"
#include "base/strings.hpp"
#include "quota/client_fair.hpp"
#include "quota/client_subject.hpp"

namespace spillway::quota {

class ClientQuotas;

using Subjects = boost::container::static_vector<Subject*, 3>;

/// What was reserved for one request. The first subject is the client.
class Grant {
public:
    Grant() = default;
    Grant(Grant&& other) noexcept;
    Grant& operator=(Grant&& other) noexcept;
    ~Grant() { release(); }

    /// Once, at the request's end.
    void settle(const Amounts& used, Now now) noexcept;
    /// The request used nothing; it still counts as a request.
    void release() noexcept;
    [[nodiscard]] const Subjects& subjects() const noexcept { return subjects_; }
    [[nodiscard]] const Amounts& reserved() const noexcept { return reserved_; }
    [[nodiscard]] explicit operator bool() const noexcept { return quotas_ != nullptr; }

private:
    friend class ClientQuotas;
    ClientQuotas* quotas_ = nullptr;
    Subjects subjects_;
    Amounts reserved_;
    Now at_{};
};

/// A minute's limits in the client's own terms: of all its subjects the one with the least left.
struct Terms {
    struct Line {
        std::int64_t limit = 0;
        std::int64_t remaining = 0;
        Duration reset{};  ///< until nothing counts any more
    };
    std::optional<Line> requests;
    std::optional<Line> tokens;
};
[[nodiscard]] Terms terms(const Subjects& subjects, Now now) noexcept;
/// `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` as OpenAI writes them (resets like `1m2s`).
void append_fields(Pen& pen, const Terms& terms);

class ClientQuotas {
public:
    /// Most subjects of one kind that are told apart; beyond it all new ones that are not configured share
    /// the one named "_other", which can only refuse more.
    static constexpr std::size_t kMaxSubjects = 100'000;

    ClientQuotas() = default;
    ClientQuotas(const ClientQuotas&) = delete;
    ClientQuotas& operator=(const ClientQuotas&) = delete;

    /// `limits` are set if it is new, or if it is `configured` (at each reload).
    Subject& find_or_add(SubjectKind kind, std::string_view name, const SubjectLimits& limits,
                         bool configured = false);
    /// Null if there is none.
    [[nodiscard]] Subject* find(SubjectKind kind, std::string_view name) const;
    [[nodiscard]] std::optional<Grant> admit(const Subjects& subjects, const Amounts& amounts, Now now,
                                             Refusal& refusal) noexcept;
    [[nodiscard]] FairShare& fair() noexcept { return fair_; }

    /// Changes with every new subject and every reload.
    [[nodiscard]] std::uint64_t generation() const noexcept {
        return generation_.load(std::memory_order_acquire);
    }
    void each(const std::function<void(Subject&)>& visit) const;
    /// Told of every new subject, under the lock (a store that shares limits, or one that restores them).
    void on_new(std::function<void(Subject&)> told);

private:
    friend class Grant;
    using Map = std::unordered_map<std::string, Subject*, StringHash, std::equal_to<>>;

    FairShare fair_;
    mutable std::mutex mutex_;
    std::pmr::monotonic_buffer_resource memory_{16 * sizeof(Subject), huge_pages()};
    std::pmr::deque<Subject> subjects_{&memory_};
    std::array<Map, 3> by_kind_;
    std::function<void(Subject&)> on_new_;
    std::atomic<std::uint64_t> generation_{0};
};

}  // namespace spillway::quota
