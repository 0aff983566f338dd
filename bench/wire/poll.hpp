#pragma once
/// What the benchmark's two ends share: descriptors that close themselves, an epoll, and a clock that both
/// ends of one machine read alike. Errors: std::system_error, since a tool that cannot go on should say why.
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>
#include <utility>

namespace spillway::wire {

/// Nanoseconds of CLOCK_MONOTONIC: the same for all processes of a machine.
[[nodiscard]] inline std::int64_t now_ns() noexcept {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) noexcept : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }
    void reset() noexcept {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    [[nodiscard]] int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

[[noreturn]] inline void give_up(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

class Poll {
public:
    Poll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
        if (!fd_) give_up("epoll_create1");
    }
    void set(int op, int fd, std::uint32_t events, void* owner) const {
        epoll_event event{};
        event.events = events;
        event.data.ptr = owner;
        if (::epoll_ctl(fd_.get(), op, fd, &event) != 0) give_up("epoll_ctl");
    }
    [[nodiscard]] std::span<epoll_event> wait(std::span<epoll_event> space, int timeout_ms) const {
        const int n = ::epoll_wait(fd_.get(), space.data(), static_cast<int>(space.size()), timeout_ms);
        if (n < 0 && errno != EINTR) give_up("epoll_wait");
        return space.first(n < 0 ? 0 : static_cast<std::size_t>(n));
    }

private:
    Fd fd_;
};

/// A TCP socket on loopback, not blocking: one that listens (SO_REUSEADDR), or one that connects.
[[nodiscard]] Fd listen_on(std::uint16_t port, unsigned number);
[[nodiscard]] Fd connect_to(std::uint16_t port, unsigned source);

struct UpstreamPlan {
    std::uint16_t port = 0;
    std::size_t answer_bytes = 900;
    unsigned addresses = 1;  ///< 127.0.0.1 and those behind it
};
/// Answers each request with the same bytes; never returns.
[[noreturn]] void run_upstream(const UpstreamPlan& plan);

struct StreamsPlan {
    std::uint16_t port = 0;
    std::string key;
    std::size_t streams = 1000;
    unsigned chunk_ms = 1000;  ///< between two chunks of a stream
    unsigned warm_ms = 2000;   ///< after the last stream began
    unsigned run_ms = 5000;
    std::size_t body_bytes = 1300;
    std::size_t connects_per_ms = 2;
};
/// Opens the streams, measures for the time given, prints one JSON line.
void run_streams(const StreamsPlan& plan);

}  // namespace spillway::wire
