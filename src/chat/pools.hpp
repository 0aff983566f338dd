#pragma once
/// Work that blocks, kept off the event loop: one thread for SQLite, one for reading files.
///
///     auto list = co_await store([&](Store& s) { return s.conversations(session); });
///
/// The awaiting coroutine goes on upon its own thread. References that `f` holds must live in that
/// coroutine's frame. Destruction waits for running work; the io_context must outlive this.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>

#include "chat/store.hpp"

namespace spillway::chat {

namespace asio = boost::asio;

/// Runs `f()` on `pool`.
template <class F>
asio::awaitable<std::invoke_result_t<F>> run_on(asio::thread_pool& pool, F f) {
    using R = std::invoke_result_t<F>;
    co_return co_await asio::co_spawn(
        pool, [work = std::move(f)]() mutable -> asio::awaitable<R> { co_return work(); },
        asio::use_awaitable);
}

class StoreThread {
public:
    explicit StoreThread(Store store) : store_(std::move(store)) {}
    StoreThread(const StoreThread&) = delete;
    StoreThread& operator=(const StoreThread&) = delete;
    ~StoreThread() { pool_.join(); }

    template <class F>
    auto operator()(F f) -> asio::awaitable<std::invoke_result_t<F, Store&>> {
        return run_on(pool_, [this, work = std::move(f)]() mutable { return work(store_); });
    }

private:
    Store store_;
    asio::thread_pool pool_{1};
};

}  // namespace spillway::chat
