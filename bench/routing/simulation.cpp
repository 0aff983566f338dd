#include "simulation.hpp"

#include <algorithm>
#include <queue>

#include "base/rng.hpp"

namespace spillway::bench {
namespace {

using namespace std::chrono_literals;

enum class What : std::uint8_t { send, arrive, head, end, refused };

struct Event {
    Mono at{};
    std::uint64_t order = 0;  ///< events of one moment in the order they were made
    What what = What::send;
    std::uint32_t job = 0;

    friend bool operator>(const Event& a, const Event& b) {
        return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
};

struct Running {
    Attempt attempt;
    api::RateLimits limits;
    Duration retry_after{};
    std::vector<std::uint32_t> tried;
};

class Simulation {
public:
    Simulation(const Named& policy, const std::vector<Job>& jobs, const Setup& setup)
        : jobs_(jobs), setup_(setup), rng_(setup.seed * 31 + 5), running_(jobs.size()) {
        for (std::size_t i = 0; i < setup.backends; ++i) {
            const auto drawn = from_seconds(60 * rng_.uniform());
            const auto first = setup.first_resets.empty() ? drawn : setup.first_resets.at(i);
            real_.emplace_back(deployment(), start - 60s + first);
        }
        policy_ = policy.make(real_, setup.seed);
        for (std::uint32_t i = 0; i < jobs.size(); ++i) add(jobs[i].arrival, What::send, i);
    }

    Tally run() {
        while (!events_.empty()) {
            const Event e = events_.top();
            events_.pop();
            now_ = e.at;
            handle(e);
        }
        for (const Job& j : jobs_) {
            if (!counts(j)) continue;
            ++result_.requests;
            result_.offered += j.charge;
        }
        return result_;
    }

private:
    void add(Mono at, What what, std::uint32_t job) { events_.push({at, order_++, what, job}); }
    [[nodiscard]] bool counts(const Job& job) const { return job.arrival >= start + setup_.warm_up; }
    /// To a region nearby and back.
    Duration one_way() { return from_seconds(0.004 + 0.004 * rng_.uniform()); }

    void handle(const Event& e) {
        const Job& job = jobs_[e.job];
        Running& r = running_[e.job];
        switch (e.what) {
            case What::send:
                if (now_ == job.arrival) policy_->came();
                send(e.job);
                return;
            case What::arrive:
                arrive(e.job);
                return;
            case What::head:
                policy_->began(r.attempt, r.limits, now_);
                return;
            case What::end:
                policy_->served(r.attempt, job, now_);
                if (counts(job)) result_.goodput += job.charge;
                return;
            case What::refused:
                if (counts(job)) ++result_.wasted;
                policy_->throttled(r.attempt, r.limits, r.retry_after, now_);
                r.tried.push_back(r.attempt.backend);
                send(e.job);
                return;
        }
    }

    void send(std::uint32_t index) {
        const Job& job = jobs_[index];
        Running& r = running_[index];
        const Picked picked = policy_->pick(job, r.tried, now_);
        if (picked.attempt) {
            if (now_ - job.arrival > 100ms && setup_.max_wait > Duration::zero()) {
                ++result_.waited;
                result_.wait_sum += now_ - job.arrival;
                result_.wait_most = std::max(result_.wait_most, now_ - job.arrival);
            }
            r.attempt = *picked.attempt;
            add(now_ + one_way(), What::arrive, index);
            return;
        }
        if (now_ + picked.retry_in - job.arrival <= setup_.max_wait) {
            r.tried.clear();
            add(now_ + picked.retry_in, What::send, index);
            return;
        }
        if (counts(job)) ++result_.refused;
    }

    void arrive(std::uint32_t index) {
        const Job& job = jobs_[index];
        Running& r = running_[index];
        auto& quota = real_[r.attempt.backend];
        const auto d = quota.admit(job.cost, now_);
        r.limits = {};
        if (setup_.limits_told) {
            r.limits.limit_requests = d.limit_requests;
            r.limits.limit_tokens = d.limit_tokens;
        }
        r.limits.remaining_requests = d.remaining_requests;
        r.limits.remaining_tokens = d.remaining_tokens;
        if (!d.admitted()) {
            // Whole seconds, rounded up: not all of Azure tells retry-after-ms.
            r.retry_after = std::chrono::ceil<std::chrono::seconds>(d.retry_after);
            add(now_ + one_way(), What::refused, index);
            return;
        }
        const Duration first = from_seconds(0.15 + 0.1 * rng_.uniform());
        const Duration last = first + from_seconds(static_cast<double>(job.output) * 0.01);
        const Duration back = one_way();
        add(now_ + (job.streamed ? first : last) + back, What::head, index);
        add(now_ + last + back, What::end, index);
    }

    const std::vector<Job>& jobs_;
    const Setup& setup_;
    Rng rng_;
    std::vector<Running> running_;
    Backends real_;
    std::unique_ptr<Policy> policy_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::uint64_t order_ = 0;
    Mono now_{};
    Tally result_;
};

double per_1000(std::uint64_t count, std::uint64_t of) {
    return of == 0 ? 0 : 1000.0 * static_cast<double>(count) / static_cast<double>(of);
}

}  // namespace

Tally& Tally::operator+=(const Tally& o) {
    requests += o.requests;
    refused += o.refused;
    wasted += o.wasted;
    offered += o.offered;
    goodput += o.goodput;
    waited += o.waited;
    wait_sum += o.wait_sum;
    wait_most = std::max(wait_most, o.wait_most);
    return *this;
}
double Tally::refused_per_1000() const {
    return per_1000(refused, requests);
}
double Tally::wasted_per_1000() const {
    return per_1000(wasted, requests);
}

Tally run(const Named& policy, const std::vector<Job>& jobs, const Setup& setup) {
    return Simulation(policy, jobs, setup).run();
}

}  // namespace spillway::bench
