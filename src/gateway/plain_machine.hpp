#pragma once
/// Handles an answer that is not an event stream, without IO: it is held back until complete, so that it can
/// still be fetched elsewhere if it breaks off, and so that its usage is known. Beyond the limit it is passed
/// on as it arrives.
///
/// Ownership: whole() and pieces view the last piece fed or the machine. Thread rule: one thread. Errors:
/// none.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spillway::gateway {

enum class PlainAction : std::uint8_t {
    hold,   ///< read more
    whole,  ///< complete: send whole()
    pass,   ///< send pass() and read more
    end,    ///< the end of an answer that was passed on
};

class PlainMachine {
public:
    /// `length`: from the head, if given. `limit`: the most that is held back. `hold`: false for answers
    /// other than JSON (speech, a file's content), which are passed on as they arrive.
    PlainMachine(std::optional<std::uint64_t> length, std::size_t limit, bool hold = true) noexcept
        : length_(length), limit_(limit), passing_(!hold || (length && *length > limit)) {}

    /// Adds the next piece of the body; an empty one is the end.
    [[nodiscard]] PlainAction feed(std::string_view piece);
    /// The bytes held back with `piece`; 0 if none, because it is all, or is passed on.
    [[nodiscard]] std::size_t would_hold(std::string_view piece) const noexcept;
    /// There is no memory for more: passes on what comes next.
    void hold_no_more() noexcept { limit_ = 0; }
    [[nodiscard]] std::string_view whole() const noexcept { return now_; }
    [[nodiscard]] std::string_view pass() const noexcept { return now_; }
    /// Whether bytes have been sent, so that a failure can only be a visible break.
    [[nodiscard]] bool passing() const noexcept { return passing_; }
    /// The last few KiB passed on, which may contain the usage.
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
