#include "identity/attendant.hpp"

#include <utility>

#include "base/block_signals.hpp"

namespace spillway::identity {

Attendant::Attendant(Turn turn)
    : turn_(std::move(turn)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Attendant::~Attendant() {
    thread_.request_stop();
    thread_.join();
}

void Attendant::wake() {
    {
        const std::lock_guard lock(mutex_);
        woken_ = true;
    }
    waker_.notify_one();
}

void Attendant::run(const std::stop_token& stop) {
    block_signals();
    while (!stop.stop_requested()) {
        const Duration wait = turn_(stop);
        std::unique_lock lock(mutex_);
        waker_.wait_for(lock, stop, wait, [this] { return woken_; });
        woken_ = false;
    }
}

}  // namespace spillway::identity
