#include "base/poller.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/loop.hpp"

namespace spillway {

namespace {
/// New requests in one turn, before it checks for answers: who waited longest is served first, and what few
/// have touched is still in the cache. With 16, bursts of 32 have a median 1.15 times as long, for 1.07 times
/// the CPU time.
constexpr int most_new = 4;
/// … and checks for events, before the idle tasks and whatever else the event loop has to do.
constexpr int most_looks = 4;
/// Idle tasks run before it checks for events again.
constexpr std::size_t most_idle_tasks = 4;
/// … and how often, before what else the event loop has to do.
constexpr int most_idle_rounds = 16;
}  // namespace

Poller::Poller(Loop& loop)
    : loop_(loop), epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;  // each write wakes it again, so it need not be read
    if (!epoll_.is_open() || !wake_.is_open() ||
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
        throw std::system_error(errno, std::system_category(), "epoll");
}

Poller& Poller::of(Loop& loop) {
    return loop.poller();
}

void Poller::add(int fd, Watcher& watcher, std::error_code& ec) noexcept {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &watcher;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        ec.assign(errno, std::system_category());
        return;
    }
    ec = {};
    ++registered_;
}

void Poller::remove(int fd, Watcher& watcher) noexcept {
    epoll_event unused{};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &unused);
    static_cast<PollerHook<ByQueue>&>(watcher).unlink();
    for (std::size_t i = batch_at_; i < batch_size_; ++i)
        if (batch_[i].data.ptr == &watcher) batch_[i].data.ptr = nullptr;
    --registered_;
}

void Poller::call_soon(Watcher& watcher) noexcept {
    if (static_cast<PollerHook<ByTurn>&>(watcher).is_linked()) return;
    soon_.push_back(watcher);
    if (!run_soon_.is_linked()) loop_.later(run_soon_);
}

void Poller::run_soon() {
    List<ByTurn> now;
    now.splice(now.end(), soon_);
    while (!now.empty()) {
        Watcher& watcher = now.front();
        now.pop_front();
        watcher.on_turn();
    }
}

void Poller::turn(std::optional<Duration> patience) {
    bool events = true;
    for (int looks = 0, idle_rounds = 0; looks < most_looks && idle_rounds < most_idle_rounds;) {
        events = look(std::exchange(patience, Duration::zero())) || !queue_.empty();
        dispatch_new();
        if (events) {
            ++looks;
            if (!has_more()) return;  // the next turn looks again, and may wait meanwhile
        } else if (run_idle_tasks(most_idle_tasks)) {
            ++idle_rounds;
        } else {
            return;
        }
    }
    if (events) (void)run_idle_tasks(std::numeric_limits<std::size_t>::max());
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
    if (waits && std::exchange(events_since_wait_, false) && before_wait_) before_wait_();
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
        sort(*static_cast<Watcher*>(event.data.ptr), ready);
    }
    batch_size_ = 0;
    if (n > 0) events_since_wait_ = true;
    return n > 0;
}

/// As many from the queue as a turn allows.
void Poller::dispatch_new() {
    for (int i = 0; i < most_new && !queue_.empty(); ++i) {
        Watcher& watcher = queue_.front();
        queue_.pop_front();
        watcher.on_ready(std::exchange(watcher.held_, {}));
    }
}

/// Those added until now, but no more than `most`; what is added meanwhile runs in the next turn. False if
/// there was none.
bool Poller::run_idle_tasks(std::size_t most) {
    List<ByIdle, IdleTask> now;
    for (; most > 0 && !idle_tasks_.empty(); --most) {
        IdleTask& task = idle_tasks_.front();
        idle_tasks_.pop_front();
        now.push_back(task);
    }
    if (now.empty()) return false;
    while (!now.empty()) {
        IdleTask& task = now.front();
        now.pop_front();
        task.run_idle();
    }
    return true;
}

/// Dispatches it now, or queues it.
void Poller::sort(Watcher& watcher, Ready ready) {
    const bool waits = static_cast<PollerHook<ByQueue>&>(watcher).is_linked();
    if (waits) {
        ready.readable = ready.readable || watcher.held_.readable;
        ready.writable = ready.writable || watcher.held_.writable;
    }
    if (watcher.class_ == EventClass::new_work && !ready.ended) {
        watcher.held_ = ready;
        if (!waits) queue_.push_back(watcher);
        return;
    }
    static_cast<PollerHook<ByQueue>&>(watcher).unlink();
    watcher.on_ready(ready);
}

}  // namespace spillway
