#pragma once
/// Threads for blocking work, off the event loop: one for SQLite, one for reading files.
///
///     auto list = co_await store([&](Store& s) { return s.conversations(session); });
///
/// The awaiting coroutine continues on its own thread. What `f` refers to must live in that coroutine's
/// frame. Ownership: destruction waits for running work; the Loop must outlive this. Errors: those of `f`.
#include <type_traits>

#include "base/loop.hpp"
#include "base/task.hpp"
#include "base/thread_pool.hpp"
#include "chat/store.hpp"

namespace spillway::chat {

class StoreThread {
public:
    explicit StoreThread(Store store) : store_(std::move(store)) {}
    StoreThread(const StoreThread&) = delete;
    StoreThread& operator=(const StoreThread&) = delete;
    ~StoreThread() { pool_.join(); }

    template <class F>
    auto operator()(F f) -> Task<std::invoke_result_t<F, Store&>> {
        return run_on(pool_, [this, work = std::move(f)]() mutable { return work(store_); });
    }

private:
    Store store_;
    ThreadPool pool_{1};
};

}  // namespace spillway::chat
