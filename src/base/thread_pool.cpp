#include "base/thread_pool.hpp"

#include "base/block_signals.hpp"

namespace spillway {

ThreadPool::ThreadPool(std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i)
        threads_.emplace_back([this] {
            block_signals();
            work();
        });
}

void ThreadPool::submit(std::function<void()> work) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(work));
    }
    more_.notify_one();
}

void ThreadPool::work() {
    for (;;) {
        std::function<void()> next;
        {
            std::unique_lock lock(mutex_);
            more_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
            if (ends_) return;
            next = std::move(waiting_.front());
            waiting_.pop_front();
        }
        next();
    }
}

void ThreadPool::join() {
    std::deque<std::function<void()>> dropped;
    {
        const std::lock_guard lock(mutex_);
        ends_ = true;
        dropped.swap(waiting_);
    }
    more_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
}

}  // namespace spillway
