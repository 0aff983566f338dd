// Many event streams at once, and how late their events come: each event tells when it was sent.
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <vector>

#include "poll.hpp"

namespace spillway::wire {
namespace {

struct Stream {
    Fd fd;
    std::size_t sent = 0;
    bool answered = false;
};

class Streams {
public:
    explicit Streams(const StreamsPlan& plan)
        : plan_(plan), request_(request_of(plan)), streams_(plan.streams) {}

    void run() {
        std::vector<epoll_event> space(1024);
        std::size_t begun = 0;
        std::int64_t measure_at = 0;
        std::int64_t end_at = 0;
        std::int64_t next_connect = now_ns();
        while (end_at == 0 || now_ns() < end_at) {
            while (begun < streams_.size() && now_ns() >= next_connect) {
                for (std::size_t i = 0; i < plan_.connects_per_ms && begun < streams_.size(); ++i)
                    begin(begun++);
                next_connect += 1'000'000;
            }
            if (begun == streams_.size() && end_at == 0) {
                measure_at = now_ns() + std::int64_t{plan_.warm_ms} * 1'000'000;
                end_at = measure_at + std::int64_t{plan_.run_ms} * 1'000'000;
            }
            const auto events = poll_.wait(space, begun < streams_.size() ? 1 : 20);
            if (!measuring_ && measure_at != 0 && now_ns() >= measure_at) {
                measuring_ = true;
                // The harness reads the gateway's counters at these two moments.
                fmt::print("begin\n");
                std::fflush(stdout);
            }
            for (const epoll_event& event : events)
                serve(*static_cast<Stream*>(event.data.ptr), event.events);
        }
        report();
    }

private:
    static std::string request_of(const StreamsPlan& plan) {
        std::string body =
            R"({"model":"gpt-4o","stream":true,"max_tokens":200,"messages":[{"role":"user","content":")";
        const std::string_view end = R"("}]})";
        while (body.size() + end.size() < plan.body_bytes) body += "word ";
        body.append(end);
        return fmt::format(
            "POST /openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n"
            "Host: 127.0.0.1:{}\r\napi-key: {}\r\nContent-Type: application/json\r\nx-bench-chunk-ms: {}\r\n"
            "Content-Length: {}\r\n\r\n{}",
            plan.port, plan.key, plan.chunk_ms, body.size(), body);
    }

    void begin(std::size_t i) {
        Stream& s = streams_[i];
        s.fd = connect_to(plan_.port, static_cast<unsigned>(i));
        poll_.set(EPOLL_CTL_ADD, s.fd.get(), EPOLLOUT, &s);
    }

    void serve(Stream& s, std::uint32_t events) {
        if (s.sent < request_.size()) {
            const ssize_t n =
                ::send(s.fd.get(), request_.data() + s.sent, request_.size() - s.sent, MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN) return lost(s);
            if (n > 0) s.sent += static_cast<std::size_t>(n);
            if (s.sent == request_.size()) poll_.set(EPOLL_CTL_MOD, s.fd.get(), EPOLLIN, &s);
            return;
        }
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
        const ssize_t n = ::read(s.fd.get(), space_.data(), space_.size());
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) return lost(s);
        take(s, {space_.data(), static_cast<std::size_t>(n)});
    }

    void lost(Stream& s) {
        ++lost_;
        s.fd.reset();
    }

    void take(Stream& s, std::string_view bytes) {
        if (!s.answered) {
            s.answered = true;
            if (!bytes.starts_with("HTTP/1.1 200")) return lost(s);
            ++answered_;
        }
        const std::int64_t now = now_ns();
        constexpr std::string_view mark = " sent=";
        for (auto at = bytes.find(mark); at != std::string_view::npos; at = bytes.find(mark, at + 1)) {
            std::int64_t sent = 0;
            const char* const digits = bytes.data() + at + mark.size();
            std::from_chars(digits, bytes.data() + bytes.size(), sent);
            if (measuring_ && sent > 0) delays_.push_back(now - sent);
        }
    }

    void report() {
        std::sort(delays_.begin(), delays_.end());
        const auto at = [&](double share) {
            if (delays_.empty()) return 0.0;
            const auto i = static_cast<std::size_t>(share * static_cast<double>(delays_.size() - 1));
            return static_cast<double>(delays_[i]) / 1e3;
        };
        fmt::print(
            R"({{"answered":{},"lost":{},"events":{},"p50_us":{:.1f},"p99_us":{:.1f},"p999_us":{:.1f}}})"
            "\n",
            answered_, lost_, delays_.size(), at(0.5), at(0.99), at(0.999));
    }

    const StreamsPlan plan_;
    const std::string request_;
    Poll poll_;
    std::vector<Stream> streams_;
    std::vector<std::int64_t> delays_;
    std::array<char, 64 * 1024> space_{};
    std::size_t answered_ = 0;
    std::size_t lost_ = 0;
    bool measuring_ = false;
};

}  // namespace

void run_streams(const StreamsPlan& plan) {
    Streams(plan).run();
}

}  // namespace spillway::wire
