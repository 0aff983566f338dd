#pragma once
/// Looks up host names off the event loop: each getaddrinfo(3) runs on its own thread, so that a server that
/// hangs delays no other name. The number of threads is limited; further look-ups wait.
///
/// Ownership: a tool of its Loop. A look-up cannot be cancelled: its thread may outlive the loop, and then
/// its answer is dropped. Thread rule: the loop's. Errors: Answer::problem.
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/loop.hpp"
#include "http/endpoint.hpp"

namespace spillway::http {

class Resolver {
public:
    struct Answer {
        std::vector<Endpoint> endpoints;  ///< in order of preference, families in turn (RFC 8305 §4)
        std::string problem;              ///< why there are none
    };
    using Done = std::function<void(Answer)>;

    explicit Resolver(Loop& loop);
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;
    ~Resolver();

    /// Calls `done` later, on the loop.
    void look_up(const std::string& host, std::uint16_t port, Done done);
    /// The source of answers, for tests. Called on the look-up's thread.
    using Source = std::function<Answer(const std::string& host, std::uint16_t port)>;
    void use(Source source);

private:
    struct Threads;
    struct Pending {
        Done done;
        Loop::Work work;
    };
    void answered(std::uint64_t id, Answer answer);

    Loop& loop_;
    std::shared_ptr<Threads> threads_;
    std::unordered_map<std::uint64_t, Pending> pending_;
    std::uint64_t last_ = 0;
};

}  // namespace spillway::http
