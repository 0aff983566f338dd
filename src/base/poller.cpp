#include "base/poller.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/loop.hpp"

namespace spillway {

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

Poller::Poller(Loop& loop)
    : loop_(loop), epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;  // each write wakes anew: it need not be read
    if (!epoll_.is_open() || !wake_.is_open() ||
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
        throw std::system_error(errno, std::system_category(), "epoll");
}

Poller& Poller::of(Loop& loop) {
    return loop.poller();
}

void Poller::add(int fd, Watch& watch, std::error_code& ec) noexcept {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &watch;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        ec.assign(errno, std::system_category());
        return;
    }
    ec = {};
    ++registered_;
}

void Poller::remove(int fd, Watch& watch) noexcept {
    epoll_event unused{};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &unused);
    static_cast<PollerHook<ByQueue>&>(watch).unlink();
    for (std::size_t i = batch_at_; i < batch_size_; ++i)
        if (batch_[i].data.ptr == &watch) batch_[i].data.ptr = nullptr;
    --registered_;
}

void Poller::soon(Watch& watch) noexcept {
    if (static_cast<PollerHook<ByTurn>&>(watch).is_linked()) return;
    soon_.push_back(watch);
    if (!run_soon_.is_linked()) loop_.later(run_soon_);
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

void Poller::turn(std::optional<Duration> patience) {
    bool news = true;
    for (int looks = 0, quiets = 0; looks < most_looks && quiets < most_quiets;) {
        news = look(std::exchange(patience, Duration::zero())) || !queue_.empty();
        tell_new();
        if (news) {
            ++looks;
            if (!has_more()) return;  // the next turn looks again, and may wait meanwhile
        } else if (end_quiet(most_quiet)) {
            ++quiets;
        } else {
            return;
        }
    }
    if (news) (void)end_quiet(std::numeric_limits<std::size_t>::max());
}

int Poller::wait(std::optional<Duration> patience) noexcept {
    const int room = static_cast<int>(batch_.size());
    if (!patience) return ::epoll_wait(epoll_.get(), batch_.data(), room, -1);
    if (*patience <= Duration::zero()) return ::epoll_wait(epoll_.get(), batch_.data(), room, 0);
    if (!coarse_waits_) {
        const auto seconds = std::chrono::floor<std::chrono::seconds>(*patience);
        const timespec time{seconds.count(), (*patience - seconds).count()};
        const int n = ::epoll_pwait2(epoll_.get(), batch_.data(), room, &time, nullptr);
        // Before Linux 5.11, or where a filter of system calls does not know it.
        if (n >= 0 || (errno != ENOSYS && errno != EPERM)) return n;
        coarse_waits_ = true;
    }
    const auto millis = std::chrono::ceil<std::chrono::milliseconds>(*patience).count();
    constexpr auto most = std::int64_t{std::numeric_limits<int>::max()};
    return ::epoll_wait(epoll_.get(), batch_.data(), room, static_cast<int>(std::min(millis, most)));
}

bool Poller::look(std::optional<Duration> patience) {
    const bool waits = !patience || *patience > Duration::zero();
    if (waits && std::exchange(news_since_idle_, false) && idle_) idle_();
    const int n = wait(patience);
    batch_size_ = n > 0 ? static_cast<std::size_t>(n) : 0;
    batch_at_ = 0;
    while (batch_at_ < batch_size_) {
        const epoll_event event = batch_[batch_at_++];
        if (event.data.ptr == nullptr) continue;
        const bool failed = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
        Ready ready;
        ready.ended = failed || (event.events & EPOLLRDHUP) != 0;
        ready.readable = ready.ended || (event.events & EPOLLIN) != 0;
        ready.writable = failed || (event.events & EPOLLOUT) != 0;
        sort(*static_cast<Watch*>(event.data.ptr), ready);
    }
    batch_size_ = 0;
    if (n > 0) news_since_idle_ = true;
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
    List<ByQuiet, WaitsForQuiet> now;
    for (; most > 0 && !quiet_.empty(); --most) {
        WaitsForQuiet& quiet = quiet_.front();
        quiet_.pop_front();
        now.push_back(quiet);
    }
    if (now.empty()) return false;
    while (!now.empty()) {
        WaitsForQuiet& quiet = now.front();
        now.pop_front();
        quiet.end();
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

}  // namespace spillway
