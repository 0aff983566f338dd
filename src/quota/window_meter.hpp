#pragma once
/// The meter of a counter that is reset at fixed times whose phase is initially unknown (Microsoft, "Manage
/// Azure OpenAI quota": tokens are reset each minute; requests are judged over 1 or 10 s).
///
/// How the phase is learned: a backend's count never falls within a window, so if it reported more for an
/// earlier request than for a later one, it was reset between the two. Each such pair, and each refusal with
/// its Retry-After, narrows the interval in which the current window ends. Until the end of that interval the
/// old count is kept; what is sent within it also counts towards the next window, so the count is never lower
/// than the backend's may be.
///
/// Units: tokens or requests. Thread rule: one thread at a time. Errors: none.
#include <cstdint>
#include <optional>

#include "quota/charge_marks.hpp"
#include "quota/corrections.hpp"
#include "quota/level.hpp"

namespace spillway::quota {

class WindowMeter {
public:
    explicit WindowMeter(Duration length) noexcept : level_(length) {}

    [[nodiscard]] const WindowLevel& level() const noexcept { return level_; }
    [[nodiscard]] WindowLevel& level() noexcept { return level_; }

    [[nodiscard]] std::optional<Hold> reserve(std::uint64_t amount, Mono now, bool force) noexcept;
    void correct(std::uint8_t generation, std::int64_t delta) noexcept {
        corrections_.correct(level_, generation, delta);
    }
    std::optional<std::uint64_t> observe(const Hold& hold, Mono sent, std::uint64_t reported) noexcept;
    void resets(Mono sent, Duration wait) noexcept;
    void refused(const Hold& hold, Mono sent, std::optional<Duration> wait,
                 std::optional<std::uint64_t> reported) noexcept;

private:
    /// A reset lies in (after, until], modulo the window's length; the window meant is that of `moment`.
    struct Reset {
        std::int64_t after, until, moment;
    };
    /// The report for a hold placed after a reset.
    struct Fresh {
        const Hold& hold;
        std::uint64_t reported;
    };
    [[nodiscard]] Reset narrowed(const Reset& reset) const noexcept;
    void learn(const Reset& reset, const Fresh* fresh) noexcept;

    WindowLevel level_;
    Corrections corrections_;
    ChargeMarks charges_;
};

}  // namespace spillway::quota
