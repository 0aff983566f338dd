#pragma once
/// Threads for blocking work, to keep it off the event loop:
///
///     auto list = co_await run_on(pool, [&] { return read_it(file); });
///
/// The awaiting coroutine continues on its own loop. What the function refers to must live in that
/// coroutine's frame.
/// Ownership: destruction (or join()) waits for running work and drops what has not started; the loops of the
/// waiting coroutines must outlive the pool. Thread rule: any. Errors: run_on() rethrows what the function
/// throws.
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/event.hpp"
#include "base/task.hpp"

namespace spillway {

class ThreadPool {
public:
    explicit ThreadPool(std::size_t threads);
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;
    ~ThreadPool() { join(); }

    void submit(std::function<void()> work);
    void join();

private:
    void work();

    std::mutex mutex_;
    std::condition_variable more_;
    std::deque<std::function<void()>> waiting_;
    bool ends_ = false;
    std::vector<std::thread> threads_;
};

template <class F>
Task<std::invoke_result_t<F&>> run_on(ThreadPool& pool, F f) {
    using Value = std::invoke_result_t<F&>;
    struct Job {
        explicit Job(F function) : f(std::move(function)) {}
        F f;
        std::optional<Value> value;
        std::exception_ptr failure;
        Event done;
    };
    const auto job = std::make_shared<Job>(std::move(f));
    Loop& loop = co_await this_loop();
    const auto work = std::make_shared<Loop::Work>(loop);
    pool.submit([job, work, inbox = loop.inbox()]() mutable {
        try {
            job->value.emplace(job->f());
        } catch (...) {
            job->failure = std::current_exception();
        }
        inbox->post([job = std::move(job), work = std::move(work)] { job->done.set(); });
    });
    while (!job->done.is_set()) co_await job->done.wait();
    if (job->failure) std::rethrow_exception(job->failure);
    co_return std::move(*job->value);
}

}  // namespace spillway
