#include "load/worker.hpp"

#include <algorithm>

#include "base/loop.hpp"
#include "base/task.hpp"

namespace spillway::load {
namespace {

constexpr std::chrono::milliseconds tick_interval{200};
constexpr std::chrono::milliseconds no_answer_pause{200};

http::OriginOptions origin_options(const Plan& plan) {
    http::OriginOptions out;
    out.host = plan.target.url.host;
    out.port = plan.target.url.port;
    out.tls = plan.target.url.tls;
    out.tls_verify = plan.tls_verify;
    out.tls_ca_file = plan.tls_ca_file;
    out.connect_timeout = plan.timeout;
    out.max_idle = plan.max_in_flight;
    return out;
}

/// Each user and each thread draws from numbers of its own.
std::uint64_t seed_of(std::uint64_t seed, std::uint64_t kind, std::uint64_t number) {
    return Rng(seed ^ Rng(kind * 0x9e3779b97f4a7c15ULL + number)())();
}

}  // namespace

void Pulse::merge(const Pulse& o) {
    step.merge(o.step);
    gap.merge(o.gap);
    open += o.open;
    users += o.users;
}

Worker::Worker(const Plan& plan, std::size_t index)
    : plan_(plan),
      index_(index),
      system_(system_message(plan.scenario)),
      form_(plan.target),
      rng_(seed_of(plan.seed, 1, index)),
      statistics_(step_for(plan.curve.length()), plan.warm_up),
      sending_(plan.curve.length()),
      origin_(loop_, origin_options(plan)) {}

Worker::~Worker() = default;

void Worker::run(Mono start) {
    start_ = start;
    cancel_flights_at(start_ + plan_.curve.length() + plan_.drain);
    if (plan_.model == Model::open) {
        begin(arrivals());
    } else {
        const auto users = static_cast<std::size_t>(plan_.curve.highest());
        for (std::size_t i = index_; i < users; i += plan_.threads) begin(user(i));
    }
    if (tasks_ > 0) {
        loop_.spawn(tick());
        loop_.run();
    }
}

/// The last one to end stops the loop, which pooled connections would keep running.
void Worker::begin(Task<void> task) {
    ++tasks_;
    loop_.spawn(std::move(task), [this](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
        if (--tasks_ == 0) loop_.stop();
    });
}

void Worker::stop() {
    loop_.post([this] { stop_sending(plan_.drain); });
}

void Worker::abort() {
    loop_.post([this] {
        stop_sending({});
        cancel_flights();
    });
}

void Worker::cancel_flights_at(Mono when) {
    drain_timer_.cancel();
    loop_.spawn([this, when]() -> Task<> {
        const bool rang = co_await drain_timer_.sleep_until(when);
        if (rang) cancel_flights();
    });
}

void Worker::stop_sending(Duration drain) {
    if (stopping_) return;
    stopping_ = true;
    sending_ = std::min(sending_, now());
    if (now() < plan_.curve.length()) {
        cancel_flights_at(mono_now() + drain);
    }
    for (Timer* timer : sleepers_) timer->cancel();
}

Pulse Worker::fetch_pulse() {
    Pulse out;
    const std::lock_guard lock(pulse_mutex_);
    out.open = pulse_.open;
    out.users = pulse_.users;
    std::swap(out, pulse_);
    pulse_.open = out.open;
    pulse_.users = out.users;
    return out;
}

void Worker::record(const Sample& sample) {
    statistics_.add(sample);
    const std::lock_guard lock(pulse_mutex_);
    pulse_.step.add(sample);
}

void Worker::record_gap(Duration due, Duration gap) {
    statistics_.add_gap(due, gap);
    const std::lock_guard lock(pulse_mutex_);
    pulse_.gap.record(gap);
}

/// Keeps what is in flight in the series and the pulse, also while nothing begins or ends.
Task<void> Worker::tick() {
    for (;;) {
        const bool rang = co_await ticker_.sleep_for(tick_interval);
        if (!rang) co_return;
        statistics_.in_flight(now(), flights_.size());
        const std::lock_guard lock(pulse_mutex_);
        pulse_.open = flights_.size();
    }
}

Task<void> Worker::sleep_until(Duration when) {
    if (stopping_) co_return;
    Timer timer(loop_);
    sleepers_.insert(&timer);
    (void)co_await timer.sleep_until(start_ + when);
    sleepers_.erase(&timer);
}

Task<void> Worker::arrivals() {
    Arrivals schedule(plan_.curve, plan_.poisson, seed_of(plan_.seed, 2, 0));
    std::size_t number = 0;
    while (const auto due = schedule.next()) {
        if (number++ % plan_.threads != index_) continue;
        co_await sleep_until(*due);
        if (stopping_) co_return;
        begin(arrival(*due));
    }
}

/// One request of the open model: the next turn of a conversation that waits for one, or the first of
/// another.
Task<void> Worker::arrival(Duration due) {
    if (idle_.empty()) idle_.emplace_back(plan_.scenario, system_, Rng(rng_()));
    Conversation conversation = std::move(idle_.front());
    idle_.pop_front();
    (void)co_await ask(conversation, due);
    if (!conversation.over()) idle_.push_back(std::move(conversation));
}

Task<void> Worker::user(std::size_t number) {
    Rng rng(seed_of(plan_.seed, 3, number));
    const double level = static_cast<double>(number + 1);
    const double think = to_seconds(plan_.scenario.think_time);
    const Duration end = plan_.curve.length();
    Duration from{};
    while (!stopping_) {
        const auto there = plan_.curve.reaches(level, from);
        if (!there) co_return;
        co_await sleep_until(*there);
        {
            const std::lock_guard lock(pulse_mutex_);
            ++pulse_.users;
        }
        Conversation conversation(plan_.scenario, system_, Rng(rng()));
        // Users of one moment do not all ask at once.
        Duration due = *there + from_seconds(think * rng.uniform());
        while (!stopping_) {
            const Duration wake = std::min(due, end);
            co_await sleep_until(wake);
            // The hair is for levels the curve reaches exactly.
            if (stopping_ || due >= end || plan_.curve.at(due) < level - 1e-6) break;
            if (conversation.over()) conversation = Conversation(plan_.scenario, system_, Rng(rng()));
            const bool answered = co_await ask(conversation, due);
            due = now() + from_seconds(draw_exponential(rng, think));
            // Where nobody answers, even users that never think do not ask without end.
            if (!answered) due = std::max(due, now() + no_answer_pause);
        }
        from = std::max(due, now());
        const std::lock_guard lock(pulse_mutex_);
        --pulse_.users;
    }
}

}  // namespace spillway::load
