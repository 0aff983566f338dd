#pragma once
/// What becomes of an answer that is no event stream, decided without IO: it is held until it is whole, so
/// that it can still be fetched elsewhere if it breaks off, and so that its usage is known. It passes as it
/// comes once it has grown beyond the limit.
///
/// Ownership: whole() and pieces view the last piece fed or the machine. Thread rule: one thread. Errors:
/// none.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spillway::gateway {

enum class PlainAction : std::uint8_t {
    hold,   ///< read on
    whole,  ///< all is there: whole()
    pass,   ///< send pass() and read on
    end,    ///< what passed has come to its end
};

class PlainMachine {
public:
    /// `length`: as the head says it, if it does. `limit`: most that is held. `hold`: false for what is not
    /// JSON (speech, a file's content): that passes as it comes.
    PlainMachine(std::optional<std::uint64_t> length, std::size_t limit, bool hold = true) noexcept
        : length_(length), limit_(limit), passing_(!hold || (length && *length > limit)) {}

    /// The next piece of the body; an empty one is its end.
    [[nodiscard]] PlainAction feed(std::string_view piece);
    /// What would be held with `piece`; 0: nothing is held, it is all there is or passes.
    [[nodiscard]] std::size_t would_hold(std::string_view piece) const noexcept;
    /// There is no memory for more: what comes next passes.
    void hold_no_more() noexcept { limit_ = 0; }
    [[nodiscard]] std::string_view whole() const noexcept { return now_; }
    [[nodiscard]] std::string_view pass() const noexcept { return now_; }
    /// Bytes went down: a break can only be shown as a break.
    [[nodiscard]] bool passing() const noexcept { return passing_; }
    /// The last few KiB of what passed: where the usage is looked for.
    [[nodiscard]] std::string_view tail() const noexcept { return tail_; }

private:
    static constexpr std::size_t kTail = 4096;
    void note_tail(std::string_view piece);

    const std::optional<std::uint64_t> length_;
    std::size_t limit_;
    bool passing_;
    std::string held_;
    std::string tail_;
    std::string_view now_;
};

}  // namespace spillway::gateway
