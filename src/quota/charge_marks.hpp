#pragma once
/// Finds a backend's charge for a single request: the difference between the counts reported for it and for
/// the request just before it, if both are known and no other can have come between them.
///
/// Units: tokens or requests. Thread rule: one thread at a time. Errors: none; nullopt where the order of
/// arrival is uncertain, or the earlier count has been forgotten.
#include <array>
#include <cstdint>
#include <optional>

#include "quota/hold.hpp"

namespace spillway::quota {

class ChargeMarks {
public:
    /// `hold` was placed. If it may arrive before the one it follows, neither can be measured.
    void placed(const Hold& hold) noexcept {
        const std::uint32_t before = hold.mark - hold.amount;
        if (hold.behind != 0) at(before, hold.generation).overtaken = before;
    }

    /// `count` was reported for `hold`. Returns its charge, if known.
    std::optional<std::uint64_t> reported(const Hold& hold, std::uint32_t count) noexcept {
        if (hold.amount == 0) return std::nullopt;
        Mark& own = at(hold.mark, hold.generation);
        own.mark = hold.mark;
        own.generation = hold.generation;
        own.count = count;
        if (hold.behind != 0 || own.overtaken == hold.mark) return std::nullopt;
        const std::uint32_t before = hold.mark - hold.amount;
        const Mark& last = at(before, hold.generation);
        if (last.generation != hold.generation || last.mark != before || last.count > count)
            return std::nullopt;
        return count - last.count;
    }

private:
    struct Mark {
        std::uint32_t mark = 0;
        std::uint32_t count = 0;  ///< reported for the hold with this mark
        std::uint32_t overtaken =
            0;  ///< the mark of a hold that another one followed so soon that it may overtake
        std::uint8_t generation = 0;
    };
    [[nodiscard]] Mark& at(std::uint32_t mark, std::uint8_t generation) noexcept {
        return marks_.at(((mark * 0x9e3779b9U) ^ (generation * 0x85ebca6bU)) >> 27U);
    }
    std::array<Mark, 32> marks_{};
};

}  // namespace spillway::quota
