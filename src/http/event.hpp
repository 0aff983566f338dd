#pragma once
/// A one-waiter event for coroutines of one thread:
/// `while (!event.is_set()) co_await event.wait();` sleeps until `set()`, which is remembered until reset().
/// Ownership: a member of what the waiter keeps alive. Such a ring must be cut when the io_context goes down
/// with the waiter asleep: the operation that would have called set() calls abandon() when it is destroyed
/// unused (see Completion).
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <utility>

namespace spillway::http {

class Event {
    using Token = boost::asio::use_awaitable_t<>;
    using Handler = boost::asio::async_result<Token, void()>::handler_type;

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
        if (auto waiter = take()) (*waiter)();
    }
    /// As set(), but the waiter runs from the event loop, never inside this call.
    void set_later() {
        set_ = true;
        if (auto waiter = take()) boost::asio::post(std::move(*waiter));
    }
    void reset() noexcept { set_ = false; }
    /// Destroys the sleeping coroutine (and maybe, with it, this event).
    void abandon() { (void)take(); }

    [[nodiscard]] bool is_set() const noexcept { return set_; }
    /// Sleeps until the next set(), be it set or not. (No coroutine of its own: this is awaited for each
    /// read.)
    boost::asio::awaitable<void> wait() {
        Token token;
        return boost::asio::async_initiate<Token, void()>(
            [this](Handler&& handler) { waiter_.emplace(std::move(handler)); }, token);
    }

private:
    std::optional<Handler> take() {
        auto waiter = std::exchange(waiter_, std::nullopt);
        return waiter;
    }

    std::optional<Handler> waiter_;
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
