#pragma once
/// One thread's part of a run: its users or arrivals, its connections, its measurements.
///
/// Ownership: the Plan outlives the Worker. Thread rule: run() on its own thread; stop(), abort()
/// and fetch_pulse() may be called from others while it runs; statistics() after it has returned.
#include <deque>
#include <mutex>
#include <unordered_set>

#include "base/loop.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "http/client.hpp"
#include "load/plan.hpp"
#include "load/statistics.hpp"

namespace spillway::load {

/// What happened since the last pulse, for a live view.
struct Pulse {
    Step step;
    Histogram gap{2};
    std::uint64_t open = 0;   ///< requests in flight now
    std::uint64_t users = 0;  ///< users there now (closed model)
    void merge(const Pulse& other);
};

class Worker {
public:
    /// Worker `index` of plan.threads: it has every plan.threads-th user or arrival.
    Worker(const Plan& plan, std::size_t index);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    /// Returns when the curve and all requests have ended.
    void run(Mono start);
    /// Sends no more requests; those in flight may end within the plan's drain time.
    void stop();
    /// Sends no more requests; those in flight end now, as failures.
    void abort();
    [[nodiscard]] Pulse fetch_pulse();

    [[nodiscard]] const Statistics& statistics() const noexcept { return statistics_; }
    /// How long requests were sent.
    [[nodiscard]] Duration sending() const noexcept { return sending_; }

private:
    struct Flight;
    class Attached;

    [[nodiscard]] Duration now() const noexcept { return mono_now() - start_; }
    void begin(Task<void> task);
    void stop_sending(Duration drain);
    void cancel_flights_at(Mono when);
    void cancel_flights();

    Task<void> tick();
    Task<void> arrivals();
    Task<void> arrival(Duration due);
    Task<void> user(std::size_t number);
    Task<void> sleep_until(Duration when);
    /// True if there was an answer, with any status.
    Task<bool> ask(Conversation& conversation, Duration due);
    Task<bool> attempt(Flight& flight, const Conversation& conversation, const RequestParts& parts,
                       bool fresh);
    Task<void> read_stream(Flight& flight, http::Upstream& upstream);
    Task<void> read_whole(Flight& flight, http::Upstream& upstream);

    void record(const Sample& sample);
    void record_gap(Duration due, Duration gap);

    const Plan& plan_;
    std::size_t index_;
    std::string system_;
    RequestForm form_;
    Mono start_{};
    Rng rng_;
    Statistics statistics_;
    Duration sending_{};
    bool stopping_ = false;
    std::size_t tasks_ = 0;

    std::mutex pulse_mutex_;
    Pulse pulse_;

    Loop loop_;
    Timer drain_timer_{loop_};
    Timer ticker_{loop_};
    http::Origin origin_;
    std::unordered_set<Flight*> flights_;
    std::unordered_set<Timer*> sleepers_;
    std::deque<Conversation> idle_;  // open model: conversations between two turns
};

}  // namespace spillway::load
