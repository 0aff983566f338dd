#include "http/poller.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/prefetch.hpp"

namespace spillway::http {

namespace {
/// New requests in one turn, before it is looked for answers.
constexpr int most_new = 16;
/// … and looks for news, before what waits for quiet and what else the event loop has to do.
constexpr int most_looks = 4;
/// What waits for quiet, before it is looked for news again.
constexpr std::size_t most_quiet = 4;
/// … and how often, before what else the event loop has to do.
constexpr int most_quiets = 16;
}  // namespace

asio::execution_context::id Poller::id;

Quiet::Quiet(Poller& poller) {
    poller.quiet_.push_back(*this);
    if (!poller.in_turn_) poller.go_on();
}

Poller::Poller(asio::execution_context& context)
    : service(context), context_(static_cast<asio::io_context&>(context)), epoll_(context_.get_executor()) {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw boost::system::system_error(errno, boost::system::system_category(), "epoll");
    epoll_.assign(fd);
}

Poller& Poller::of(asio::io_context& context) {
    return asio::use_service<Poller>(context);
}

void Poller::add(int fd, Watch& watch, boost::system::error_code& ec) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &watch;
    if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, fd, &event) != 0) {
        ec.assign(errno, boost::system::system_category());
        return;
    }
    ec = {};
    all_.push_back(watch);
    ++registered_;
    if (!waiting_) wait();
}

void Poller::remove(int fd, Watch& watch) noexcept {
    if (down_) return;
    epoll_event unused{};
    ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, fd, &unused);
    static_cast<PollerHook<ByPoller>&>(watch).unlink();
    static_cast<PollerHook<ByQueue>&>(watch).unlink();
    for (std::size_t i = batch_at_; i < batch_size_; ++i)
        if (batch_[i].data.ptr == &watch) batch_[i].data.ptr = nullptr;
    if (--registered_ == 0 && waiting_) {
        boost::system::error_code ignored;
        epoll_.cancel(ignored);
    }
}

void Poller::soon(Watch& watch) {
    if (down_ || static_cast<PollerHook<ByTurn>&>(watch).is_linked()) return;
    soon_.push_back(watch);
    if (posted_) return;
    posted_ = true;
    asio::post(context_, [this] {
        posted_ = false;
        run_soon();
    });
}

void Poller::run_soon() {
    List<ByTurn> now;
    now.splice(now.end(), soon_);
    while (!now.empty()) {
        Watch& watch = now.front();
        now.pop_front();
        watch.on_turn();
    }
}

void Poller::wait() {
    waiting_ = true;
    epoll_.async_wait(asio::posix::descriptor_base::wait_read, [this](const boost::system::error_code& ec) {
        waiting_ = false;
        if (!ec) turn();
        if (registered_ > 0 && !waiting_) wait();
    });
}

void Poller::turn() {
    // Asio's wait costs three times a look, so it is looked again while there is news.
    in_turn_ = true;
    bool news = true;
    for (int looks = 0, quiets = 0; looks < most_looks && quiets < most_quiets;) {
        news = look() || !queue_.empty();
        tell_new();
        if (news)
            ++looks;
        else if (end_quiet(most_quiet))
            ++quiets;
        else
            break;
    }
    in_turn_ = false;
    if (news) (void)end_quiet(std::numeric_limits<std::size_t>::max());
    if (!queue_.empty() || !quiet_.empty())
        go_on();
    else if (!news && idle_)
        idle_();
}

bool Poller::look() {
    const int n = ::epoll_wait(epoll_.native_handle(), batch_.data(), static_cast<int>(batch_.size()), 0);
    batch_size_ = n > 0 ? static_cast<std::size_t>(n) : 0;
    batch_at_ = 0;
    while (batch_at_ < batch_size_) {
        const epoll_event event = batch_[batch_at_++];
        if (event.data.ptr == nullptr) continue;
        if (batch_at_ < batch_size_) prefetch_for_write(batch_[batch_at_].data.ptr);
        const bool failed = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
        Ready ready;
        ready.ended = failed || (event.events & EPOLLRDHUP) != 0;
        ready.readable = ready.ended || (event.events & EPOLLIN) != 0;
        ready.writable = failed || (event.events & EPOLLOUT) != 0;
        sort(*static_cast<Watch*>(event.data.ptr), ready);
    }
    batch_size_ = 0;
    return n > 0;
}

/// As many from the queue as a turn may tell.
void Poller::tell_new() {
    for (int i = 0; i < most_new && !queue_.empty(); ++i) {
        Watch& watch = queue_.front();
        queue_.pop_front();
        watch.on_ready(std::exchange(watch.held_, {}));
    }
}

/// Those that waited until now, but no more than `most`; who begins to meanwhile has the next turn. False
/// when there was none.
bool Poller::end_quiet(std::size_t most) {
    List<ByQuiet, Quiet> now;
    for (; most > 0 && !quiet_.empty(); --most) {
        Quiet& quiet = quiet_.front();
        quiet_.pop_front();
        now.push_back(quiet);
    }
    if (now.empty()) return false;
    while (!now.empty()) {
        Quiet& quiet = now.front();
        now.pop_front();
        quiet.event_.set();
    }
    return true;
}

/// Tells of it now, or puts it into the queue.
void Poller::sort(Watch& watch, Ready ready) {
    const bool waits = static_cast<PollerHook<ByQueue>&>(watch).is_linked();
    if (waits) {
        ready.readable = ready.readable || watch.held_.readable;
        ready.writable = ready.writable || watch.held_.writable;
    }
    if (watch.news_ == News::new_work && !ready.ended) {
        watch.held_ = ready;
        if (!waits) queue_.push_back(watch);
        return;
    }
    static_cast<PollerHook<ByQueue>&>(watch).unlink();
    watch.on_ready(ready);
}

/// The next turn, after what else the event loop has to do.
void Poller::go_on() {
    if (goes_on_) return;
    goes_on_ = true;
    asio::post(context_, [this] {
        goes_on_ = false;
        if (!down_) turn();
    });
}

void Poller::shutdown() {
    down_ = true;
    boost::system::error_code ignored;
    epoll_.close(ignored);
    queue_.clear();
    while (!quiet_.empty()) {
        Quiet& quiet = quiet_.front();
        quiet_.pop_front();
        quiet.event_.abandon();
    }
    while (!soon_.empty()) {
        Watch& watch = soon_.front();
        soon_.pop_front();
        watch.abandon();
    }
    while (!all_.empty()) {
        Watch& watch = all_.front();
        all_.pop_front();
        watch.abandon();
    }
}

}  // namespace spillway::http
