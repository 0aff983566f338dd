#pragma once
/// Readiness of descriptors, edge-triggered (epoll(7)). A descriptor is registered once, whoever waits for it
/// holds no buffer, and a read is tried only when there is something.
///
/// Work that was begun is done before more is begun: of the sockets that bring new requests, only a few are
/// told in a turn, and then it is looked again for answers. So what is under way at one time, and the memory
/// it needs, stays small however many clients ask at once.
///
/// What nobody waits for (Quiet) is done when no socket has news, or after a few looks for some.
///
/// Ownership: a part of its Loop. A Watch is a base of what it wakes, registered from add() to remove(), and
/// leaves all lists on destruction. Its calls may destroy it.
/// Thread rule: the Loop's one thread, but for wake().
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
struct ByQuiet;
template <class Tag>
using PollerHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

struct Ready {
    bool readable = false;  ///< bytes, the end, or an error
    bool writable = false;  ///< room, or an error
    bool ended = false;  ///< the peer has closed its side, or the connection failed: no more news will come
};

/// What news of a socket is about.
enum class News : std::uint8_t {
    work_under_way,  ///< told at once
    new_work,        ///< told in turn, but for an end
};

class Watch : public PollerHook<ByTurn>, public PollerHook<ByQueue> {
public:
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

protected:
    explicit Watch(News news) : news_(news) {}
    ~Watch() = default;
    /// What its next news is about.
    void set_news(News news) noexcept { news_ = news; }

private:
    friend class Poller;
    /// Something changed since it was told last.
    virtual void on_ready(Ready ready) = 0;
    /// What Poller::soon() asked for.
    virtual void on_turn() {}

    News news_;
    Ready held_;  ///< while it is in the queue
};

/// What waits for a moment without news: see Quiet.
class WaitsForQuiet : public PollerHook<ByQuiet> {
protected:
    WaitsForQuiet() = default;
    ~WaitsForQuiet() = default;

private:
    friend class Poller;
    virtual void end() = 0;
};

class Poller {
public:
    explicit Poller(Loop& loop);
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;
    ~Poller() = default;
    static Poller& of(Loop& loop);

    void add(int fd, Watch& watch, std::error_code& ec) noexcept;
    /// Before `fd` is closed. Nothing is told of it any more; soon() still holds.
    void remove(int fd, Watch& watch) noexcept;
    /// Calls on_turn() once, from the event loop.
    void soon(Watch& watch) noexcept;
    /// What to call whenever nothing is left to be told: the event loop may well wait for long.
    void on_idle(std::function<void()> callback) { idle_ = std::move(callback); }

    void add_quiet(WaitsForQuiet& quiet) noexcept { quiet_.push_back(quiet); }

    // For Loop:
    /// Tells of what is ready; waits for it no longer than `patience` (none: for ever).
    void turn(std::optional<Duration> patience);
    /// Does something wait for its turn?
    [[nodiscard]] bool has_more() const noexcept { return !queue_.empty() || !quiet_.empty(); }
    [[nodiscard]] std::size_t registered() const noexcept { return registered_; }
    /// Ends a turn's waiting, now or the next; from any thread.
    [[nodiscard]] int wake_descriptor() const noexcept { return wake_.get(); }

private:
    template <class Tag, class Item = Watch>
    using List = boost::intrusive::list<Item, boost::intrusive::base_hook<PollerHook<Tag>>,
                                        boost::intrusive::constant_time_size<false>>;
    struct Soon final : Runnable {
        explicit Soon(Poller& p) : poller(p) {}
        void run() override { poller.run_soon(); }
        Poller& poller;
    };

    int wait(std::optional<Duration> patience) noexcept;
    /// Tells of what is ready, or puts it into the queue; whether there was any.
    bool look(std::optional<Duration> patience);
    void sort(Watch& watch, Ready ready);
    void tell_new();
    bool end_quiet(std::size_t most);
    void run_soon();

    Loop& loop_;
    FileDescriptor epoll_;
    FileDescriptor wake_;
    Soon run_soon_{*this};
    List<ByTurn> soon_;
    List<ByQueue> queue_;  ///< news of new work
    List<ByQuiet, WaitsForQuiet> quiet_;
    std::function<void()> idle_;
    std::size_t registered_ = 0;
    bool news_since_idle_ = true;
    bool coarse_waits_ = false;  ///< the kernel has no epoll_pwait2
    std::array<epoll_event, 256> batch_{};
    std::size_t batch_size_ = 0;
    std::size_t batch_at_ = 0;  ///< the first that is still to be told
};

}  // namespace spillway
