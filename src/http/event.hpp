#pragma once
/// A one-waiter event for coroutines of one thread: `co_await event.wait()` sleeps until `set()`.
/// set() before wait() is remembered. set() may run the waiter before it returns (it is meant to be called
/// from completion handlers, as their last act).
/// Ownership: a member; destroying it while someone waits abandons the waiter (only at shutdown).
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

namespace spillway::http {

class Event {
    using Token = boost::asio::use_awaitable_t<>;
    using Handler = boost::asio::async_result<Token, void()>::handler_type;

public:
    void set() {
        set_ = true;
        if (waiter_) {
            // Move out first: the handler may wait on this event again.
            Handler handler = std::move(*waiter_);
            waiter_.reset();
            boost::asio::dispatch(std::move(handler));
        }
    }
    void reset() noexcept { set_ = false; }
    [[nodiscard]] bool is_set() const noexcept { return set_; }

    /// Returns at once if set. The event stays set until reset().
    boost::asio::awaitable<void> wait() {
        while (!set_) {
            Token token;
            co_await boost::asio::async_initiate<Token, void()>(
                [this](Handler&& handler) { waiter_.emplace(std::move(handler)); }, token);
        }
    }

private:
    std::optional<Handler> waiter_;
    bool set_ = false;
};

}  // namespace spillway::http
