// The backend of the benchmarks: answers every request with the same bytes, after it read all of it.
// A request's fields may say otherwise: `x-bench-size` is the size of the answer, `x-bench-chunk-ms` asks
// for an endless event stream with the time of sending in each event.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "poll.hpp"

namespace spillway::wire {
namespace {

constexpr std::string_view azure_fields =
    "apim-request-id: 7f4c2f0e-1d7b-4c5a-9c0a-3d4e5f6a7b8c\r\n"
    "strict-transport-security: max-age=31536000; includeSubDomains; preload\r\n"
    "x-content-type-options: nosniff\r\n"
    "x-ms-region: Sweden Central\r\n"
    "x-ratelimit-remaining-requests: 9999999\r\n"
    "x-ratelimit-remaining-tokens: 999999999\r\n"
    "x-request-id: 00000000-0000-4000-8000-000000000001\r\n";

struct Connection {
    Fd fd;
    std::string in;  // an unfinished head
    std::uint64_t body_left = 0;
    std::size_t answer = 0;  // bytes; 0 is the usual
    unsigned chunk_ms = 0;
    bool in_body = false;
    bool streams = false;
    std::string out;  // what the socket did not take
};

std::size_t number_in(std::string_view head, std::string_view name) {
    const auto at = head.find(name);
    if (at == std::string_view::npos) return 0;
    std::size_t value = 0;
    const char* const begin = head.data() + at + name.size();
    std::from_chars(begin, head.data() + head.size(), value);
    return value;
}

std::string answer_of(std::size_t bytes) {
    const std::string_view begin =
        R"({"id":"chatcmpl-9xQ2Vb0","object":"chat.completion","created":1730000000,"model":"gpt-4o-2024-08-06",)"
        R"("choices":[{"index":0,"message":{"role":"assistant","content":")";
    const std::string_view end =
        R"("},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":290,"completion_tokens":120,)"
        R"("total_tokens":410,"prompt_tokens_details":{"cached_tokens":0},)"
        R"("completion_tokens_details":{"reasoning_tokens":0}},"system_fingerprint":"fp_04751d0b65"})";
    std::string body(begin);
    const std::size_t text = bytes > begin.size() + end.size() ? bytes - begin.size() - end.size() : 0;
    const std::string_view words = "The answer is here, word by word. ";
    while (body.size() < begin.size() + text)
        body.append(words.substr(0, std::min(words.size(), begin.size() + text - body.size())));
    body.append(end);
    std::string out = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
    out.append(std::to_string(body.size())).append("\r\n").append(azure_fields).append("\r\n").append(body);
    return out;
}

class Upstream {
public:
    explicit Upstream(const UpstreamPlan& plan) : usual_(answer_of(plan.answer_bytes)) {
        for (unsigned i = 0; i < plan.addresses; ++i) {
            listeners_.push_back(listen_on(plan.port, i));
            poll_.set(EPOLL_CTL_ADD, listeners_.back().get(), EPOLLIN, nullptr);
        }
    }

    [[noreturn]] void run() {
        std::vector<epoll_event> space(512);
        for (;;) {
            for (const epoll_event& event : poll_.wait(space, wait_ms())) {
                auto* const connection = static_cast<Connection*>(event.data.ptr);
                if (connection == nullptr)
                    accept_all();
                else if (!serve(*connection, event.events))
                    open_.erase(connection);
            }
            send_due();
        }
    }

private:
    struct Due {
        std::int64_t at;
        Connection* connection;
        int fd;
        std::int64_t interval;
        bool operator>(const Due& other) const noexcept { return at > other.at; }
    };

    [[nodiscard]] int wait_ms() const {
        if (due_.empty()) return 1000;
        const std::int64_t left = due_.top().at - now_ns();
        return left <= 0 ? 0 : static_cast<int>(left / 1'000'000) + 1;
    }

    void accept_all() {
        for (const Fd& listener : listeners_) accept_all(listener);
    }

    void accept_all(const Fd& listener) {
        for (;;) {
            Fd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!fd) return;
            const int on = 1;
            ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            auto connection = std::make_unique<Connection>();
            connection->fd = std::move(fd);
            Connection* const key = connection.get();
            poll_.set(EPOLL_CTL_ADD, key->fd.get(), EPOLLIN, key);
            open_.emplace(key, std::move(connection));
        }
    }

    bool serve(Connection& c, std::uint32_t events) {
        if ((events & EPOLLOUT) != 0 && !write(c, {})) return false;
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return true;
        const ssize_t n = ::read(c.fd.get(), space_.data(), space_.size());
        if (n <= 0) return n < 0 && errno == EAGAIN;
        return take(c, {space_.data(), static_cast<std::size_t>(n)});
    }

    bool take(Connection& c, std::string_view bytes) {
        while (!bytes.empty()) {
            if (!c.in_body) {
                std::string_view head = bytes;
                if (!c.in.empty()) head = c.in.append(bytes);
                const auto end = head.find("\r\n\r\n");
                if (end == std::string_view::npos) {
                    if (c.in.empty()) c.in.assign(bytes);
                    return true;
                }
                const std::size_t rest = head.size() - end - 4;
                begin(c, head.substr(0, end + 4));
                c.in.clear();
                bytes = bytes.substr(bytes.size() - rest);
            }
            const std::uint64_t here = std::min<std::uint64_t>(c.body_left, bytes.size());
            c.body_left -= here;
            bytes.remove_prefix(static_cast<std::size_t>(here));
            if (c.body_left > 0) return true;
            c.in_body = false;
            if (!answer(c)) return false;
        }
        return true;
    }

    static void begin(Connection& c, std::string_view head) {
        lowered().assign(head);
        std::transform(head.begin(), head.end(), lowered().begin(),
                       [](char ch) { return ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch + 32) : ch; });
        c.body_left = number_in(lowered(), "content-length: ");
        c.answer = number_in(lowered(), "x-bench-size: ");
        c.chunk_ms = static_cast<unsigned>(number_in(lowered(), "x-bench-chunk-ms: "));
        c.in_body = true;
    }
    static std::string& lowered() {
        thread_local std::string text;
        return text;
    }

    bool answer(Connection& c) {
        if (c.chunk_ms > 0) {
            std::string head =
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n";
            head.append(azure_fields).append("\r\n");
            c.streams = true;
            // Anywhere in the interval, as those of many users: else a gateway would be measured by how it
            // bunches the streams when they begin.
            const std::int64_t interval = static_cast<std::int64_t>(c.chunk_ms) * 1'000'000;
            due_.push({now_ns() + std::uniform_int_distribution<std::int64_t>(0, interval)(random_), &c,
                       c.fd.get(), interval});
            return write(c, head) && write(c, chunk());
        }
        if (c.answer == 0) return write(c, usual_);
        auto& made = others_[c.answer];
        if (made.empty()) made = answer_of(c.answer);
        return write(c, made);
    }

    std::string_view chunk() {
        event_ = R"(data: {"id":"chatcmpl-9xQ2Vb0","object":"chat.completion.chunk","created":1730000000,)"
                 R"("model":"gpt-4o-2024-08-06","system_fingerprint":"fp_04751d0b65","choices":[{"index":0,)"
                 R"("delta":{"content":" sent=)";
        event_.append(std::to_string(now_ns()))
            .append(R"( "},"logprobs":null,"finish_reason":null}]})")
            .append("\n\n");
        std::array<char, 20> size{};
        const auto end = std::to_chars(size.data(), size.data() + size.size(), event_.size(), 16).ptr;
        framed_.assign(size.data(), end);
        framed_.append("\r\n").append(event_).append("\r\n");
        return framed_;
    }

    void send_due() {
        const std::int64_t now = now_ns();
        while (!due_.empty() && due_.top().at <= now) {
            const Due due = due_.top();
            due_.pop();
            const auto found = open_.find(due.connection);
            if (found == open_.end() || due.connection->fd.get() != due.fd || !due.connection->streams)
                continue;
            if (write(*due.connection, chunk()))
                due_.push({due.at + due.interval, due.connection, due.fd, due.interval});
            else
                open_.erase(found);
        }
    }

    bool write(Connection& c, std::string_view bytes) {
        if (!c.out.empty()) {
            c.out.append(bytes);
            bytes = c.out;
        }
        std::size_t done = 0;
        while (done < bytes.size()) {
            const ssize_t n = ::send(c.fd.get(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
            if (n > 0) {
                done += static_cast<std::size_t>(n);
            } else if (errno == EAGAIN) {
                break;
            } else if (errno != EINTR) {
                return false;
            }
        }
        const bool waited = !c.out.empty();
        if (waited)
            c.out.erase(0, done);
        else
            c.out.assign(bytes.substr(done));
        if (waited != !c.out.empty())
            poll_.set(EPOLL_CTL_MOD, c.fd.get(), c.out.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT, &c);
        return true;
    }

    Poll poll_;
    std::vector<Fd> listeners_;
    const std::string usual_;
    std::unordered_map<std::size_t, std::string> others_;
    std::unordered_map<Connection*, std::unique_ptr<Connection>> open_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    std::minstd_rand random_;
    std::array<char, 256 * 1024> space_{};
    std::string event_;
    std::string framed_;
};

}  // namespace

void run_upstream(const UpstreamPlan& plan) {
    const auto upstream = std::make_unique<Upstream>(plan);
    upstream->run();
}

}  // namespace spillway::wire
