#pragma once
/// Corrects a meter's count by comparing it with the counts that the backend reports.
///
/// A hold remembers the count right after it was placed (its mark). The difference from the backend's report
/// for that very request is the count's error at that moment; it is added to the present count, less any
/// corrections made since. So response heads may arrive late; if they arrive out of order, that of the latest
/// request counts. The backend may count requests sent within a few ticks in another order than they were
/// sent: a difference that this explains is not an error (quota/recent_marks.hpp).
///
/// Units: tokens or requests; ticks. Thread rule: one thread at a time. Errors: none.
#include <cstdint>

#include "quota/hold.hpp"
#include "quota/level.hpp"
#include "quota/recent_marks.hpp"

namespace spillway::quota {

class Corrections {
public:
    /// A request's report compared with the report for the latest request so far.
    struct Comparison {
        bool latest = true;       ///< no later request's count is known
        bool fell = false;        ///< certainly sent later, and the count was lower
        bool was_higher = false;  ///< certainly sent earlier, and the count was higher
        std::int64_t other = 0;   ///< when the other was sent
    };

    /// The hold for `amount`, which was added to `level` at `now`.
    [[nodiscard]] Hold placed(const Level& level, std::uint64_t amount, std::int64_t now) noexcept;

    /// Adds `delta` to the count, if it is still that of `generation`.
    void correct(Level& level, std::uint8_t generation, std::int64_t delta) noexcept;
    /// The count was corrected by `delta` elsewhere.
    void note(std::int64_t delta) noexcept { sum_ += static_cast<std::uint32_t>(delta); }

    /// The count's error when `hold` was placed, less corrections made since, and less what another order of
    /// arrival explains.
    [[nodiscard]] std::int64_t error_of(const Hold& hold, std::int64_t sent,
                                        std::uint64_t reported) const noexcept;
    [[nodiscard]] Comparison compare(std::int64_t sent, std::uint64_t reported, std::int64_t length) noexcept;
    /// Corrects `level` by what was reported for `hold`.
    void apply(Level& level, const Hold& hold, std::int64_t sent, std::uint64_t reported) noexcept;

private:
    std::uint32_t sum_ = 0;  ///< of all corrections, modulo 2³²
    bool has_latest_ = false;
    std::int64_t latest_ = 0;            ///< when the latest request with a reported count was sent
    std::uint64_t latest_reported_ = 0;  ///< its count
    RecentMarks recent_;
};

}  // namespace spillway::quota
