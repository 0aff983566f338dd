#pragma once
/// An event loop: one thread that runs posted functions, coroutines, timers, and whatever waits for
/// descriptors.
///
///     Loop loop;
///     loop.spawn(serve());        // a Task that nobody awaits
///     loop.run();                 // until stop(), or until there is nothing left to wait for
///
/// A turn runs posted functions, then timers that are due, then descriptors that are ready (base/poller.hpp).
///
/// Ownership: owns what was posted and spawned, and destroys what still waits when it is destroyed itself.
/// What lives on a loop (sockets, Timeouts, users of its tools) goes first, or belongs to a spawned task.
/// Thread rule: run by one thread at a time, which alone may use it, except for stop(), post() and Inbox.
/// Errors: run() rethrows what a callback throws, or a task that was spawned without `done`.
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/poller.hpp"
#include "base/runnable.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "base/timer_wheel.hpp"

namespace spillway {

/// A posted function. Owns itself.
template <class F>
class Posted final : public Runnable {
public:
    explicit Posted(F f) : f_(std::move(f)) {}
    ~Posted() = default;
    void run() override {
        const std::unique_ptr<Posted> self(this);
        f_();
    }
    void discard() noexcept override { const std::unique_ptr<Posted> self(this); }

private:
    F f_;
};

/// Where any thread may leave work for a loop. Shared, so that it may outlive the loop; work that arrives
/// after that is dropped.
class Inbox {
public:
    explicit Inbox(int wake_descriptor) noexcept : wake_descriptor_(wake_descriptor) {}
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;
    ~Inbox() = default;

    template <class F>
    void post(F&& f) {
        put(*std::make_unique<Posted<std::decay_t<F>>>(std::forward<F>(f)).release());
    }
    /// Makes the loop check it.
    void wake() noexcept;

private:
    friend class Loop;
    void put(Runnable& runnable) noexcept;
    /// Moves everything to the end of `list`.
    void move_to(RunList& list) noexcept;
    [[nodiscard]] bool empty() noexcept;
    void close() noexcept;

    std::mutex mutex_;
    RunList list_;
    int wake_descriptor_;
    bool open_ = true;
};

class Loop {
public:
    using Done = std::function<void(const std::exception_ptr&)>;

    Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    ~Loop();

    void run();
    void run_for(Duration time) { run_until(mono_now() + time); }
    /// Makes run() return soon, and at once from then on until restart(). From any thread.
    void stop() noexcept;
    void restart() noexcept { stopped_ = false; }
    /// By stop(), or because there was nothing left to wait for.
    [[nodiscard]] bool stopped() const noexcept { return stopped_; }

    /// Runs `f()` from the loop, in order. From any thread.
    template <class F>
    void post(F&& f) {
        if (runs_here())
            later(*std::make_unique<Posted<std::decay_t<F>>>(std::forward<F>(f)).release());
        else
            inbox_->post(std::forward<F>(f));
    }
    void later(Runnable& runnable) noexcept { due_.push_back(runnable); }
    [[nodiscard]] const std::shared_ptr<Inbox>& inbox() const noexcept { return inbox_; }

    /// Starts the task at once if called from the loop, otherwise in its next turn. Calls `done` at its end.
    void spawn(Task<> task) { spawn(std::move(task), {}); }
    void spawn(Task<> task, Done done);
    /// Like above, for a function that returns a task; the function lives as long as the task.
    template <class F>
        requires std::is_invocable_r_v<Task<>, F&>
    void spawn(F f, Done done = {}) {
        spawn(call(std::move(f)), std::move(done));
    }

    [[nodiscard]] Poller& poller() noexcept { return poller_; }
    [[nodiscard]] TimerWheel& wheel() noexcept { return wheel_; }
    [[nodiscard]] TimerQueue& timers() noexcept { return timers_; }
    /// The loop's own T, constructed from (Loop&) at first use.
    template <class T>
    T& tool() {
        static constexpr char key = 0;
        for (const Tool& tool : tools_)
            if (tool.key == &key) return *static_cast<T*>(tool.held.get());
        auto made = std::make_shared<T>(*this);
        tools_.push_back({&key, made});
        return *made;
    }

    /// While one exists, the loop has something to wait for. From any thread.
    class Work {
    public:
        explicit Work(Loop& loop) noexcept : loop_(&loop) { ++loop.work_; }
        Work(Work&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)) {}
        Work(const Work&) = delete;
        Work& operator=(const Work&) = delete;
        Work& operator=(Work&&) = delete;
        ~Work() {
            if (loop_ != nullptr && --loop_->work_ == 0) loop_->inbox_->wake();
        }

    private:
        Loop* loop_;
    };

private:
    struct Root;
    struct Tool {
        const void* key;
        std::shared_ptr<void> held;
    };

    template <class F>
    static Task<> call(F f) {
        co_await f();
    }
    static Root root(Loop& loop, Task<> task, Done done);

    [[nodiscard]] bool runs_here() const noexcept {
        return runs_on_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }
    void run_until(std::optional<Mono> deadline);
    void run_due();
    [[nodiscard]] bool has_work() noexcept;
    [[nodiscard]] std::optional<Duration> patience(std::optional<Mono> deadline) noexcept;
    void rethrow();

    Poller poller_{*this};
    TimerWheel wheel_;
    TimerQueue timers_;
    std::vector<Tool> tools_;
    std::shared_ptr<Inbox> inbox_;
    RunList due_;
    RunList roots_;  ///< the frames of spawned tasks; see Root
    std::exception_ptr failure_;
    std::atomic<std::thread::id> runs_on_{};
    std::atomic<int> work_ = 0;
    std::atomic<bool> stopped_ = false;
};

}  // namespace spillway
