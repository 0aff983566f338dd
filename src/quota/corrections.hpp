#pragma once
/// How far off a meter's count is, found by comparing it with the counts that the backend reports.
///
/// A claim remembers what the count was right after it was made (its mark). The difference to what the
/// backend reports for that very request is how wrong the count was at that moment, and is added to the
/// present count, less what was corrected since. So response heads may come late; when they come out of
/// order, the one of the latest request counts. Requests sent within a few ticks may be counted in another
/// order than they were sent in: what that can explain is no error (quota/recent_marks.hpp).
///
/// Units: tokens or requests; ticks. Thread rule: one thread at a time. Errors: none.
#include <cstdint>

#include "quota/claim.hpp"
#include "quota/level.hpp"
#include "quota/recent_marks.hpp"

namespace spillway::quota {

class Corrections {
public:
    /// What was reported for a request, beside what was reported for the latest one so far.
    struct Comparison {
        bool latest = true;       ///< no later request's count is known
        bool fell = false;        ///< certainly sent later, and the count was lower
        bool was_higher = false;  ///< certainly sent earlier, and the count was higher
        std::int64_t other = 0;   ///< when the other was sent
    };

    /// `amount` was added to `level` at `now`.
    [[nodiscard]] Claim claimed(const Level& level, std::uint64_t amount, std::int64_t now) noexcept;

    /// Adds `delta` to the count, if it is still that of `generation`.
    void correct(Level& level, std::uint8_t generation, std::int64_t delta) noexcept;
    /// The count was changed by `delta` elsewhere, for what it was wrong by.
    void note(std::int64_t delta) noexcept { sum_ += static_cast<std::uint32_t>(delta); }

    /// How far the count was off when `claim` was made, less what has been corrected since, and less what
    /// another order of arrival explains.
    [[nodiscard]] std::int64_t error_of(const Claim& claim, std::int64_t sent,
                                        std::uint64_t reported) const noexcept;
    [[nodiscard]] Comparison compare(std::int64_t sent, std::uint64_t reported, std::int64_t length) noexcept;
    /// Corrects `level` by what was reported for `claim`.
    void apply(Level& level, const Claim& claim, std::int64_t sent, std::uint64_t reported) noexcept;

private:
    std::uint32_t sum_ = 0;  ///< of all corrections, modulo 2³²
    bool has_latest_ = false;
    std::int64_t latest_ = 0;            ///< when the latest request was sent whose count was reported
    std::uint64_t latest_reported_ = 0;  ///< that count
    RecentMarks recent_;
};

}  // namespace spillway::quota
