#pragma once
/// Readiness of plain sockets, edge-triggered (epoll(7)), for what Asio's own reactor costs too much: it
/// reads before it knows that there is something to read, and needs the buffer while it waits. Here a socket
/// is registered once, a connection that waits holds no buffer, and a read is tried only when there is
/// something.
///
/// The Poller has an epoll descriptor of its own, which Asio watches: one wait of Asio's tells of all the
/// sockets that are ready. Connections count as the io_context's work as long as they are registered.
///
/// Work that was begun is done before more is begun: of the sockets that bring new requests, only a few are
/// told in a turn, and then it is looked again for answers. So what is under way at one time, and the memory
/// it needs, stays small however many clients ask at once.
///
/// What nobody waits for (Quiet) is done when no socket has news, or after a few looks for some.
///
/// Ownership: a Watch is a base of what it wakes, registered from add() to remove(), and leaves all lists on
/// destruction. Its calls may destroy it. When the io_context goes down, abandon() is called on each that is
/// still there, to cut rings of coroutines that wait for themselves (see Event).
/// Thread rule: the io_context's one thread.
#include <sys/epoll.h>

#include <array>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/system/error_code.hpp>
#include <functional>
#include <utility>

#include "http/event.hpp"

namespace spillway::http {

namespace asio = boost::asio;

struct ByPoller;
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

class Watch : public PollerHook<ByPoller>, public PollerHook<ByTurn>, public PollerHook<ByQueue> {
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
    virtual void on_turn() = 0;
    virtual void abandon() = 0;

    News news_;
    Ready held_;  ///< while it is in the queue
};

class Poller;

/// A coroutine's wait until nothing more urgent is to be done: `while (!quiet.over()) co_await quiet.wait();`
class Quiet : public PollerHook<ByQuiet> {
public:
    explicit Quiet(Poller& poller);
    [[nodiscard]] bool over() const noexcept { return event_.is_set(); }
    [[nodiscard]] auto wait() noexcept { return event_.wait(); }

private:
    friend class Poller;
    Event event_;
};

class Poller : public asio::execution_context::service {
public:
    using key_type = Poller;
    static asio::execution_context::id id;

    explicit Poller(asio::execution_context& context);
    /// The poller of this io_context, made at first use.
    static Poller& of(asio::io_context& context);

    void add(int fd, Watch& watch, boost::system::error_code& ec);
    /// Before `fd` is closed. Nothing is told of it any more; soon() still holds.
    void remove(int fd, Watch& watch) noexcept;
    /// Calls on_turn() once, from the event loop.
    void soon(Watch& watch);
    /// What to call whenever nothing is left to be told: the event loop may well wait for long.
    void on_idle(std::function<void()> callback) { idle_ = std::move(callback); }

private:
    friend class Quiet;
    template <class Tag, class Item = Watch>
    using List = boost::intrusive::list<Item, boost::intrusive::base_hook<PollerHook<Tag>>,
                                        boost::intrusive::constant_time_size<false>>;

    void shutdown() override;
    void wait();
    void turn();
    /// Tells of what is ready, or puts it into the queue; whether there was any.
    bool look();
    void sort(Watch& watch, Ready ready);
    void tell_new();
    bool end_quiet(std::size_t most);
    void run_soon();
    void go_on();

    asio::io_context& context_;
    asio::posix::basic_stream_descriptor<asio::io_context::executor_type> epoll_;
    List<ByPoller> all_;
    List<ByTurn> soon_;
    List<ByQueue> queue_;  ///< news of new work
    List<ByQuiet, Quiet> quiet_;
    std::function<void()> idle_;
    std::size_t registered_ = 0;
    bool waiting_ = false;
    bool posted_ = false;   ///< run_soon()
    bool goes_on_ = false;  ///< go_on() is posted
    bool in_turn_ = false;
    bool down_ = false;
    std::array<epoll_event, 256> batch_{};
    std::size_t batch_size_ = 0;
    std::size_t batch_at_ = 0;  ///< the first that is still to be told
};

}  // namespace spillway::http
