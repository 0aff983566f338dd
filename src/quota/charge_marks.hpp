#pragma once
/// Finds what a backend charged for a single request: the difference between the counts reported for it and
/// for the request just before it, if both are known and nothing may have come between them.
///
/// Units: tokens or requests. Thread rule: one thread at a time. Errors: none; nothing is returned where the
/// order of arrival is not certain, or the earlier count has been forgotten.
#include <array>
#include <cstdint>
#include <optional>

#include "quota/claim.hpp"

namespace spillway::quota {

class ChargeMarks {
public:
    /// `claim` was made. If it may arrive before the one it follows, neither can be measured.
    void claimed(const Claim& claim) noexcept {
        const std::uint32_t before = claim.mark - claim.amount;
        if (claim.behind != 0) at(before, claim.generation).overtaken = before;
    }

    /// `count` was reported for `claim`. Returns its charge.
    std::optional<std::uint64_t> reported(const Claim& claim, std::uint32_t count) noexcept {
        if (claim.amount == 0) return std::nullopt;
        Mark& own = at(claim.mark, claim.generation);
        own.mark = claim.mark;
        own.generation = claim.generation;
        own.count = count;
        if (claim.behind != 0 || own.overtaken == claim.mark) return std::nullopt;
        const std::uint32_t before = claim.mark - claim.amount;
        const Mark& last = at(before, claim.generation);
        if (last.generation != claim.generation || last.mark != before || last.count > count)
            return std::nullopt;
        return count - last.count;
    }

private:
    struct Mark {
        std::uint32_t mark = 0;
        std::uint32_t count = 0;  ///< reported for the claim with this mark
        std::uint32_t overtaken =
            0;  ///< a mark whose claim another followed so soon that it may be overtaken
        std::uint8_t generation = 0;
    };
    [[nodiscard]] Mark& at(std::uint32_t mark, std::uint8_t generation) noexcept {
        return marks_.at(((mark * 0x9e3779b9U) ^ (generation * 0x85ebca6bU)) >> 27U);
    }
    std::array<Mark, 32> marks_{};
};

}  // namespace spillway::quota
