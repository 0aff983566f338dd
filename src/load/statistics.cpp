#include "load/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace spillway::load {

void add_count(Counts<std::uint64_t>& counts, std::string_view key, std::uint64_t more) {
    const auto found = counts.find(key);
    if (found != counts.end())
        found->second += more;
    else
        counts.emplace(key, more);
}

void Outcomes::count(const Sample& s) noexcept {
    ++(s.ok() ? ok : s.throttled() ? throttled : failed);
    tokens += s.tokens();
}

Outcomes& Outcomes::operator+=(const Outcomes& o) noexcept {
    due += o.due;
    ok += o.ok;
    throttled += o.throttled;
    failed += o.failed;
    tokens += o.tokens;
    return *this;
}

void Step::add(const Sample& s) {
    count(s);
    if (s.ok()) latency.record(s.end - s.due);
    if (s.first_token > Duration{}) ttft.record(s.first_token - s.due);
    if (!s.backend.empty()) add_count(backends, s.backend);
}

void Step::merge(const Step& o) {
    *this += o;
    in_flight += o.in_flight;
    latency.merge(o.latency);
    ttft.merge(o.ttft);
    for (const auto& [name, count] : o.backends) add_count(backends, name, count);
}

Step& Statistics::step_at(Duration time) {
    const auto index = static_cast<std::size_t>(std::max(time, Duration{}) / step_);
    if (index >= steps_.size()) steps_.resize(index + 1);
    return steps_[index];
}

void Statistics::begun(Duration when) {
    ++step_at(when).due;
    if (when >= warm_up_) ++due;
}

void Statistics::in_flight(Duration now, std::uint64_t count) {
    Step& step = step_at(now);
    step.in_flight = std::max(step.in_flight, count);
}

void Statistics::add(const Sample& s) {
    step_at(s.end).add(s);
    if (s.due < warm_up_) return;
    count(s);
    lag.record(s.sent - s.due);
    if (s.ok())
        latency.record(s.end - s.due);
    else
        add_count(problems, s.problem);
    if (s.first_token > Duration{}) ttft.record(s.first_token - s.due);
    prompt_tokens += s.usage.prompt;
    cached_tokens += s.usage.cached;
    completion_tokens += s.usage.total > 0 ? s.usage.completion : s.outputs;
    add_count(statuses, s.status == 0 ? "none" : fmt::format("{}", s.status));
    if (!s.backend.empty()) add_count(backends, s.backend);
    if (s.attempts > 0) add_count(attempts, fmt::format("{}", s.attempts));
}

void Statistics::merge(const Statistics& o) {
    latency.merge(o.latency);
    ttft.merge(o.ttft);
    lag.merge(o.lag);
    gap_.merge(o.gap_);
    *this += o;
    prompt_tokens += o.prompt_tokens;
    cached_tokens += o.cached_tokens;
    completion_tokens += o.completion_tokens;
    for (const auto& [key, count] : o.statuses) add_count(statuses, key, count);
    for (const auto& [key, count] : o.problems) add_count(problems, key, count);
    for (const auto& [key, count] : o.backends) add_count(backends, key, count);
    for (const auto& [key, count] : o.attempts) add_count(attempts, key, count);
    if (o.steps_.size() > steps_.size()) steps_.resize(o.steps_.size());
    for (std::size_t i = 0; i < o.steps_.size(); ++i) steps_[i].merge(o.steps_[i]);
}

Duration step_for(Duration total) noexcept {
    constexpr std::array<int, 10> seconds{1, 2, 5, 10, 15, 30, 60, 120, 300, 600};
    constexpr int most = 150;
    for (const int s : seconds)
        if (total <= std::chrono::seconds(s) * most) return std::chrono::seconds(s);
    return std::max<Duration>(std::chrono::hours(1), total / most);
}

}  // namespace spillway::load
