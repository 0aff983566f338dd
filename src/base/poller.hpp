#pragma once
/// Readiness of descriptors, edge-triggered (epoll(7)). A descriptor is registered once; whoever waits for it
/// holds no buffer, and nothing is read until there is something to read.
///
/// Work in progress comes before new work: of the sockets that may bring new requests, only a few are served
/// in a turn before the poller checks for answers again. So the number of requests in progress, and the
/// memory they need, stays small however many clients ask at once.
///
/// Idle tasks run once no socket has an event, or after a few checks found some each time.
///
/// Ownership: part of its Loop. A Watcher is a base class of whatever it wakes; it is registered from add()
/// to remove() and leaves all lists on destruction. Its callbacks may destroy it. Thread rule: the Loop's one
/// thread, except for wake_descriptor(). Errors: std::error_code from add().
#include <sys/epoll.h>

#include <array>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <system_error>

#include "base/clock.hpp"
#include "base/file_descriptor.hpp"
#include "base/runnable.hpp"

namespace spillway {

class Loop;

struct ByTurn;
struct ByQueue;
struct ByIdle;
template <class Tag>
using PollerHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

struct Ready {
    bool readable = false;  ///< bytes, the end, or an error
    bool writable = false;  ///< room, or an error
    bool ended =
        false;  ///< the peer has closed its side, or the connection failed; no further events will come
};

/// What an event on a socket announces.
enum class EventClass : std::uint8_t {
    work_under_way,  ///< dispatched at once
    new_work,        ///< dispatched in turn, unless it is the end
};

class Watcher : public PollerHook<ByTurn>, public PollerHook<ByQueue> {
public:
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

protected:
    explicit Watcher(EventClass events) : class_(events) {}
    ~Watcher() = default;
    /// Applies to its next event.
    void set_class(EventClass next) noexcept { class_ = next; }

private:
    friend class Poller;
    /// Something changed since the last call.
    virtual void on_ready(Ready ready) = 0;
    /// Requested by Poller::call_soon().
    virtual void on_turn() {}

    EventClass class_;
    Ready held_;  ///< while it is in the queue
};

/// Waits for a moment without events; see IdleTurn.
class IdleTask : public PollerHook<ByIdle> {
protected:
    IdleTask() = default;
    ~IdleTask() = default;

private:
    friend class Poller;
    virtual void run_idle() = 0;
};

class Poller {
public:
    explicit Poller(Loop& loop);
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;
    ~Poller() = default;
    static Poller& of(Loop& loop);

    void add(int fd, Watcher& watcher, std::error_code& ec) noexcept;
    /// Call before `fd` is closed. No further events are dispatched; call_soon() still holds.
    void remove(int fd, Watcher& watcher) noexcept;
    /// Calls on_turn() once, from the event loop.
    void call_soon(Watcher& watcher) noexcept;
    /// Called whenever nothing is left to dispatch and the event loop is about to wait, possibly for long.
    void before_wait(std::function<void()> callback) { before_wait_ = std::move(callback); }

    void add_idle_task(IdleTask& task) noexcept { idle_tasks_.push_back(task); }

    // For Loop:
    /// Dispatches what is ready; waits for it no longer than `patience` (none: for ever).
    void turn(std::optional<Duration> patience);
    /// Is anything waiting for its turn?
    [[nodiscard]] bool has_more() const noexcept { return !queue_.empty() || !idle_tasks_.empty(); }
    [[nodiscard]] std::size_t registered() const noexcept { return registered_; }
    /// Writing to it ends this turn's wait, or the next one's; from any thread.
    [[nodiscard]] int wake_descriptor() const noexcept { return wake_.get(); }

private:
    template <class Tag, class Item = Watcher>
    using List = boost::intrusive::list<Item, boost::intrusive::base_hook<PollerHook<Tag>>,
                                        boost::intrusive::constant_time_size<false>>;
    struct SoonTask final : Runnable {
        explicit SoonTask(Poller& p) : poller(p) {}
        void run() override { poller.run_soon(); }
        Poller& poller;
    };

    int wait(std::optional<Duration> patience) noexcept;
    /// Dispatches what is ready, or queues it; returns whether there was any.
    bool look(std::optional<Duration> patience);
    void sort(Watcher& watcher, Ready ready);
    void dispatch_new();
    bool run_idle_tasks(std::size_t most);
    void run_soon();

    Loop& loop_;
    FileDescriptor epoll_;
    FileDescriptor wake_;
    SoonTask run_soon_{*this};
    List<ByTurn> soon_;
    List<ByQueue> queue_;  ///< events of new work
    List<ByIdle, IdleTask> idle_tasks_;
    std::function<void()> before_wait_;
    std::size_t registered_ = 0;
    bool events_since_wait_ = true;
    bool coarse_waits_ = false;  ///< the kernel has no epoll_pwait2
    std::array<epoll_event, 256> batch_{};
    std::size_t batch_size_ = 0;
    std::size_t batch_at_ = 0;  ///< the first still to be dispatched
};

}  // namespace spillway
