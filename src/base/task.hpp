#pragma once
/// The coroutine type of everything that waits: `Task<T> f()` starts when it is awaited, and runs on the
/// awaiter's event loop (base/loop.hpp).
///
/// A task that finishes without having waited costs no switch: its awaiter simply continues, so that a loop
/// over such tasks does not grow the stack, optimized or not. After a wait, the end of the task resumes its
/// awaiter directly (symmetric transfer).
///
/// Ownership: whoever holds the Task owns its frame; an awaited task is held by its awaiter's frame. So
/// destroying a waiting task destroys everything it waits for, and Loop destroys the tasks it spawned.
/// Frames come from the thread's FramePool, or with AddressSanitizer from the heap, so that use after free is
/// detected. Thread rule: its event loop's thread. Errors: an exception that leaves the coroutine is rethrown
/// by the `co_await`.
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/frame_pool.hpp"
#include "base/sanitizers.hpp"

namespace spillway {

class Loop;

/// Base of the promises of coroutines on a Loop: allocates the frame, and knows the loop.
class OnLoop {
public:
#if !defined(SPILLWAY_ADDRESS_SANITIZER)
    static void* operator new(std::size_t size) { return FramePool::own().allocate(size); }
    static void operator delete(void* frame, std::size_t size) noexcept {
        FramePool::own().deallocate(frame, size);
    }
#endif
    [[nodiscard]] Loop& loop() const noexcept { return *loop_; }
    void set_loop(Loop& loop) noexcept { loop_ = &loop; }

protected:
    OnLoop() = default;
    ~OnLoop() = default;

private:
    Loop* loop_ = nullptr;
};

template <class T = void>
class Task;

namespace detail {

class TaskPromiseBase : public OnLoop {
public:
    struct AtEnd {
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
            const TaskPromiseBase& promise = self.promise();
            return promise.awaiter_waits_ ? promise.awaiter_ : std::noop_coroutine();
        }
        void await_resume() const noexcept {}
    };

    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] AtEnd final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { failure_ = std::current_exception(); }

    /// Runs the coroutine for `awaiter`; false if it has finished already.
    template <class Promise, class Self>
    bool begin(std::coroutine_handle<Promise> awaiter, std::coroutine_handle<Self> self) {
        set_loop(awaiter.promise().loop());
        awaiter_ = awaiter;
        self.resume();
        if (self.done()) return false;
        awaiter_waits_ = true;
        return true;
    }
    void rethrow() {
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    }

private:
    std::coroutine_handle<> awaiter_;
    std::exception_ptr failure_;
    bool awaiter_waits_ = false;
};

template <class T>
class TaskPromise final : public TaskPromiseBase {
public:
    Task<T> get_return_object() noexcept;
    template <class U>
        requires std::is_constructible_v<T, U&&>
    void return_value(U&& value) {
        value_.emplace(std::forward<U>(value));
    }
    T result() {
        rethrow();
        return std::move(*value_);
    }

private:
    std::optional<T> value_;
};

template <>
class TaskPromise<void> final : public TaskPromiseBase {
public:
    Task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void result() { rethrow(); }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
public:
    using promise_type = detail::TaskPromise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    explicit Task(Handle handle) noexcept : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            if (handle_) handle_.destroy();
            handle_ = std::exchange(other.handle_, nullptr);
        }
        return *this;
    }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    class Awaiter {
    public:
        explicit Awaiter(Handle handle) noexcept : handle_(handle) {}
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> awaiter) const {
            return handle_.promise().begin(awaiter, handle_);
        }
        T await_resume() const { return handle_.promise().result(); }

    private:
        Handle handle_;
    };
    /// May be awaited once only.
    Awaiter operator co_await() const noexcept { return Awaiter(handle_); }

private:
    Handle handle_;
};

namespace detail {
template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
    return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() noexcept {
    return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
}  // namespace detail

namespace detail {
class ThisLoop {
public:
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> self) noexcept {
        loop_ = &self.promise().loop();
        return false;
    }
    [[nodiscard]] Loop& await_resume() const noexcept { return *loop_; }

private:
    Loop* loop_ = nullptr;
};
}  // namespace detail

/// `Loop& loop = co_await this_loop();`
[[nodiscard]] inline detail::ThisLoop this_loop() noexcept {
    return {};
}

}  // namespace spillway
