#pragma once
/// A one-waiter event for coroutines of one thread:
/// `while (!event.is_set()) co_await event.wait();` sleeps until `set()`, which is remembered until reset().
/// Ownership: a member of what the waiter keeps alive. Such a ring must be cut when the io_context goes down
/// with the waiter asleep: the operation that would have called set() calls abandon() when it is destroyed
/// unused (see Completion).
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <optional>
#include <utility>

namespace spillway::http {

class Event {
    // What use_awaitable is made of, without a coroutine of its own for each wait: its frame would be taken
    // and given back for each read, and be cold with each stream.
    using Executor = boost::asio::any_io_executor;
    using Sleeper = boost::asio::detail::awaitable_thread<Executor>;

public:
    Event() = default;
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() = default;

    /// Runs the waiter before it returns, and the waiter may destroy this event: the last act of a completion
    /// handler. (Called as it is: through dispatch() it would run in the same place, at four times the
    /// price.)
    void set() {
        set_ = true;
        if (auto sleeper = take()) sleeper->launch();
    }
    /// As set(), but the waiter runs from the event loop, never inside this call.
    void set_later() {
        set_ = true;
        auto sleeper = take();
        if (!sleeper) return;
        const Executor executor = sleeper->get_executor();
        boost::asio::post(executor, [woken = std::move(*sleeper)]() mutable { woken.launch(); });
    }
    void reset() noexcept { set_ = false; }
    /// Destroys the sleeping coroutine (and maybe, with it, this event).
    void abandon() { (void)take(); }

    [[nodiscard]] bool is_set() const noexcept { return set_; }
    /// To be awaited: sleeps until the next set(), be it set or not.
    [[nodiscard]] auto wait() noexcept {
        return [this](auto* frame) -> Sleeper* {
            sleeper_.emplace(std::move(*frame->detach_thread()));
            return nullptr;
        };
    }

private:
    std::optional<Sleeper> take() noexcept {
        std::optional<Sleeper> sleeper;
        if (sleeper_) {
            sleeper.emplace(std::move(*sleeper_));
            sleeper_.reset();
        }
        return sleeper;
    }

    std::optional<Sleeper> sleeper_;
    bool set_ = false;
};

/// A completion handler that keeps its owner alive and calls `Method` on it, or owner.abandon() if the
/// operation is destroyed unfinished with its io_context.
template <class Owner, auto Method>
class Completion {
public:
    explicit Completion(std::shared_ptr<Owner> owner) : owner_(std::move(owner)) {}
    Completion(Completion&&) noexcept = default;
    Completion& operator=(Completion&&) = delete;
    Completion(const Completion&) = delete;
    Completion& operator=(const Completion&) = delete;
    ~Completion() {
        if (owner_) owner_->abandon();
    }
    template <class... Args>
    void operator()(Args&&... args) {
        const auto owner = std::move(owner_);
        (owner.get()->*Method)(std::forward<Args>(args)...);
    }

private:
    std::shared_ptr<Owner> owner_;
};

}  // namespace spillway::http
