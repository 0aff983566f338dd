#pragma once
/// Look-ups of host names, off the event loop: getaddrinfo(3), each on a thread of its own, so that a name
/// whose server hangs delays no other. So many run at once; more wait.
///
/// Ownership: a tool of its Loop. A look-up cannot be ended: its thread outlives the loop, if need be, and
/// its answer is then dropped. Thread rule: the loop's.
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
        std::string problem;              ///< why there is none
    };
    using Done = std::function<void(Answer)>;

    explicit Resolver(Loop& loop);
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;
    ~Resolver();

    /// `done` is called later, on the loop.
    void look_up(const std::string& host, std::uint16_t port, Done done);
    /// What answers; for tests. Called on the look-up's thread.
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
