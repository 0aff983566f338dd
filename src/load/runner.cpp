#include "load/runner.hpp"

#include <algorithm>

namespace spillway::load {

Runner::Runner(Plan plan) : plan_(std::move(plan)) {
    for (std::size_t i = 0; i < plan_.threads; ++i) workers_.push_back(std::make_unique<Worker>(plan_, i));
}

Runner::~Runner() {
    abort();
}

void Runner::start() {
    // Connections and threads begin at one time, a moment from now.
    start_ = mono_now() + std::chrono::milliseconds(20);
    left_ = workers_.size();
    for (const auto& worker : workers_)
        threads_.emplace_back([this, &worker] {
            worker->run(start_);
            --left_;
        });
}

void Runner::stop() {
    for (const auto& worker : workers_) worker->stop();
}

void Runner::abort() {
    for (const auto& worker : workers_) worker->abort();
}

Pulse Runner::fetch_pulse() {
    Pulse out;
    for (const auto& worker : workers_) out.merge(worker->fetch_pulse());
    return out;
}

Record Runner::finish() {
    threads_.clear();  // joins
    Statistics all = workers_.front()->statistics();
    Duration sending = workers_.front()->sending();
    for (std::size_t i = 1; i < workers_.size(); ++i) {
        all.merge(workers_[i]->statistics());
        sending = std::max(sending, workers_[i]->sending());
    }
    return make_record(all, sending);
}

}  // namespace spillway::load
