#include "http/resolver.hpp"

#include <netdb.h>

#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include "base/block_signals.hpp"

namespace spillway::http {

namespace {
constexpr std::size_t most_threads = 32;

/// Families in turn, beginning with the first one's.
std::vector<Endpoint> interleaved(const std::vector<Endpoint>& sorted) {
    std::deque<Endpoint> first;
    std::deque<Endpoint> second;
    for (const Endpoint& e : sorted) (e.family() == sorted.front().family() ? first : second).push_back(e);
    std::vector<Endpoint> out;
    while (!first.empty() || !second.empty())
        for (auto* family : {&first, &second})
            if (!family->empty()) {
                out.push_back(family->front());
                family->pop_front();
            }
    return out;
}

Resolver::Answer ask_system(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (failed == EAI_NONAME || failed == EAI_ADDRFAMILY) {  // no address but loopback's is configured
        hints.ai_flags = 0;
        failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    }
    Resolver::Answer out;
    if (failed != 0) {
        out.problem =
            failed == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(failed);  // NOLINT(*-mt-unsafe)
        return out;
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> held(found, ::freeaddrinfo);
    std::vector<Endpoint> sorted;
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        sorted.emplace_back(at->ai_addr, at->ai_addrlen).set_port(port);
    }
    out.endpoints = interleaved(sorted);
    return out;
}
}  // namespace

/// What the threads share with the Resolver, and keep when it goes.
struct Resolver::Threads : std::enable_shared_from_this<Threads> {
    struct Question {
        std::uint64_t id;
        std::string host;
        std::uint16_t port;
        Source source;
    };
    explicit Threads(std::shared_ptr<Inbox> i) : inbox(std::move(i)) {}

    void ask(Question question) {
        const std::lock_guard lock(mutex);
        waiting.push_back(std::move(question));
        if (running == most_threads) return;
        ++running;
        std::thread([self = shared_from_this()] {
            block_signals();
            self->work();
        }).detach();
    }
    void work() {
        for (;;) {
            Question next;
            {
                const std::lock_guard lock(mutex);
                if (waiting.empty()) {
                    --running;
                    return;
                }
                next = std::move(waiting.front());
                waiting.pop_front();
            }
            Answer answer = next.source(next.host, next.port);
            inbox->post([self = shared_from_this(), id = next.id, answer = std::move(answer)]() mutable {
                if (self->resolver != nullptr) self->resolver->answered(id, std::move(answer));
            });
        }
    }

    std::shared_ptr<Inbox> inbox;
    Resolver* resolver = nullptr;  // of the loop's thread
    Source source = ask_system;    // of the loop's thread
    std::mutex mutex;
    std::deque<Question> waiting;
    std::size_t running = 0;
};

Resolver::Resolver(Loop& loop) : loop_(loop), threads_(std::make_shared<Threads>(loop.inbox())) {
    threads_->resolver = this;
}

Resolver::~Resolver() {
    threads_->resolver = nullptr;
}

void Resolver::look_up(const std::string& host, std::uint16_t port, Done done) {
    const std::uint64_t id = ++last_;
    pending_.emplace(id, Pending{std::move(done), Loop::Work(loop_)});
    threads_->ask({id, host, port, threads_->source});
}

void Resolver::use(Source source) {
    threads_->source = std::move(source);
}

void Resolver::answered(std::uint64_t id, Answer answer) {
    const auto at = pending_.find(id);
    if (at == pending_.end()) return;
    const Pending pending = std::move(at->second);
    pending_.erase(at);
    pending.done(std::move(answer));
}

}  // namespace spillway::http
