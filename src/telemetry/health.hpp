#pragma once
/// Whether something that is written to (a disk, a database) works, so that the process log reports each
/// change once, with its reason.
///
/// Thread rule: any. Errors: none.
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace spillway::telemetry {

class Health {
public:
    struct Change {
        bool works = true;
        std::string why;  ///< it does not; or how it was repaired
    };

    void works() noexcept {
        if (state_.load(std::memory_order_relaxed) == State::works) return;
        const std::lock_guard lock(mutex_);
        state_ = State::works;
    }
    void fails(std::string why) {
        if (state_.load(std::memory_order_relaxed) == State::fails) return;
        const std::lock_guard lock(mutex_);
        state_ = State::fails;
        why_ = std::move(why);
    }
    /// It works again after something that must be reported, even if it was over at once.
    void works_anew(std::string what) {
        const std::lock_guard lock(mutex_);
        state_ = State::works;
        change_ = std::move(what);
    }
    /// The change since the last call; a failure that has ended meanwhile does not count.
    [[nodiscard]] std::optional<Change> change() {
        const std::lock_guard lock(mutex_);
        const State now = state_;
        if (change_) {
            reported_ = now;
            return Change{now == State::works, *std::exchange(change_, std::nullopt)};
        }
        if (now == std::exchange(reported_, now)) return std::nullopt;
        return now == State::works ? Change{} : Change{false, why_};
    }

private:
    enum class State : unsigned char { works, fails };

    std::mutex mutex_;
    std::atomic<State> state_{State::works};
    State reported_ = State::works;      ///< under mutex_
    std::string why_;                    ///< under mutex_
    std::optional<std::string> change_;  ///< under mutex_
};

}  // namespace spillway::telemetry
