#include "base/loop.hpp"

#include <sys/eventfd.h>

#include <algorithm>

namespace spillway {

void Inbox::wake() noexcept {
    const std::lock_guard lock(mutex_);
    if (open_) (void)::eventfd_write(wake_descriptor_, 1);
}

void Inbox::put(Runnable& runnable) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (open_) {
            const bool first = list_.empty();
            list_.push_back(runnable);
            if (first) (void)::eventfd_write(wake_descriptor_, 1);
            return;
        }
    }
    runnable.discard();
}

void Inbox::move_to(RunList& list) noexcept {
    const std::lock_guard lock(mutex_);
    list.splice(list.end(), list_);
}

bool Inbox::empty() noexcept {
    const std::lock_guard lock(mutex_);
    return list_.empty();
}

void Inbox::close() noexcept {
    const std::lock_guard lock(mutex_);
    open_ = false;
}

/// The frame at the bottom of a spawned task. Destroys itself at its end.
struct Loop::Root {
    struct promise_type final : OnLoop, Runnable {
        promise_type(Loop& loop, const Task<>&, const Done&) noexcept {
            set_loop(loop);
            loop.roots_.push_back(*this);
        }
        ~promise_type() = default;
        [[nodiscard]] Root get_return_object() const noexcept { return {}; }
        [[nodiscard]] std::suspend_never initial_suspend() const noexcept { return {}; }
        [[nodiscard]] std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() noexcept { loop().failure_ = std::current_exception(); }
        void run() override {}
        void discard() noexcept override {
            std::coroutine_handle<promise_type>::from_promise(*this).destroy();
        }
    };
};

Loop::Root Loop::root(Loop& /*its promise's*/, Task<> task, Done done) {
    std::exception_ptr failure;
    {
        const Task<> own = std::move(task);
        try {
            co_await own;
        } catch (...) {
            failure = std::current_exception();
        }
    }
    if (done)
        done(failure);
    else if (failure)
        std::rethrow_exception(failure);
}

Loop::Loop() : inbox_(std::make_shared<Inbox>(poller_.wake_descriptor())) {}

Loop::~Loop() {
    const auto discard_all = [](RunList& list) {
        while (!list.empty()) {
            Runnable& runnable = list.front();
            list.pop_front();
            runnable.discard();
        }
    };
    inbox_->close();
    // What is destroyed may leave more to be run.
    do {
        discard_all(roots_);
        inbox_->move_to(due_);
        discard_all(due_);
    } while (!roots_.empty() || !due_.empty());
    while (!tools_.empty()) tools_.pop_back();
}

void Loop::spawn(Task<> task, Done done) {
    if (runs_here()) {
        (void)root(*this, std::move(task), std::move(done));
        return;
    }
    post([this, begun = std::move(task), heard = std::move(done)]() mutable {
        (void)root(*this, std::move(begun), std::move(heard));
    });
}

void Loop::stop() noexcept {
    stopped_ = true;
    inbox_->wake();
}

void Loop::rethrow() {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

bool Loop::has_work() noexcept {
    return work_ > 0 || poller_.registered() > 0 || poller_.has_more() || timers_.next() || wheel_.next() ||
           !due_.empty() || !inbox_->empty();
}

std::optional<Duration> Loop::patience(std::optional<Mono> deadline) noexcept {
    if (!due_.empty() || poller_.has_more()) return Duration::zero();
    std::optional<Mono> until = deadline;
    for (const auto next : {timers_.next(), wheel_.next()})
        if (next && (!until || *next < *until)) until = next;
    if (!until) return std::nullopt;
    return std::max(Duration::zero(), *until - mono_now());
}

void Loop::run_due() {
    inbox_->move_to(due_);
    RunList now;
    now.splice(now.end(), due_);
    while (!now.empty()) {
        Runnable& runnable = now.front();
        now.pop_front();
        try {
            runnable.run();
        } catch (...) {
            due_.splice(due_.begin(), now);  // for the next run
            throw;
        }
        if (failure_ || stopped_) {
            due_.splice(due_.begin(), now);
            return;
        }
    }
}

void Loop::run() {
    run_until(std::nullopt);
}

void Loop::run_until(std::optional<Mono> deadline) {
    const struct Here {
        explicit Here(std::atomic<std::thread::id>& on) : runs_on(on) {
            runs_on = std::this_thread::get_id();
        }
        Here(const Here&) = delete;
        Here& operator=(const Here&) = delete;
        ~Here() { runs_on = std::thread::id(); }
        std::atomic<std::thread::id>& runs_on;
    } here(runs_on_);
    while (!stopped_) {
        run_due();
        rethrow();
        if (stopped_) return;
        if (timers_.next() || wheel_.next()) {
            const Mono now = mono_now();
            timers_.expire(now);
            wheel_.expire(now);
            rethrow();
            if (stopped_) return;
        }
        if (!has_work()) {
            stopped_ = true;
            return;
        }
        if (deadline && mono_now() >= *deadline) return;
        poller_.turn(patience(deadline));
        rethrow();
    }
}

}  // namespace spillway
