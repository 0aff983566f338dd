// What a backend's state tells another process, and takes over from one.
#include "routing/backend_memory.hpp"

#include <fmt/format.h>

#include <functional>

#include "routing/backend_state.hpp"

namespace spillway::routing {
namespace {

std::uint64_t resource_of(const config::BackendConfig& c) {
    return std::hash<std::string>{}(fmt::format("{} {} {} {} {} {}", c.url.to_string(),
                                                static_cast<int>(c.kind), c.deployment, c.tpm.value_or(0),
                                                c.rpm.value_or(0), c.ptu));
}

BackendMemory::Rest rest_of(const CircuitBreaker& breaker, Mono now) noexcept {
    const auto look = breaker.look(now, 0);
    if (look.standing != CircuitBreaker::Standing::cooling) return {};
    return {look.wait, look.reason};
}

void open(CircuitBreaker& breaker, const BackendMemory::Rest& rest, Mono now) noexcept {
    if (rest.cooling > Duration::zero()) (void)breaker.rest(rest.reason, now, now + rest.cooling);
}

}  // namespace

BackendMemory BackendState::memory(Mono now) const {
    const std::scoped_lock lock(mutex_);
    BackendMemory out;
    out.name = config.name;
    out.resource = resource_of(config);
    out.mode = mode.load(std::memory_order_relaxed);
    out.counts = {served.load(std::memory_order_relaxed),
                  throttled.load(std::memory_order_relaxed),
                  failed.load(std::memory_order_relaxed),
                  spilled.load(std::memory_order_relaxed),
                  tokens.load(std::memory_order_relaxed),
                  avoided.load(std::memory_order_relaxed),
                  static_cast<std::uint64_t>(first_byte_us.load(std::memory_order_relaxed))};
    out.whole = rest_of(breaker, now);
    for (const auto& s : slots_) {
        if (!s->asked.load(std::memory_order_relaxed)) continue;
        out.deployments.push_back(
            {s->name, rest_of(s->quota, now), rest_of(s->failures, now), s->mirror.levels()});
    }
    return out;
}

void BackendState::remember(const BackendMemory& memory, Mono now) {
    for (const auto& [to, from] : {std::pair{&served, 0U}, std::pair{&throttled, 1U}, std::pair{&failed, 2U},
                                   std::pair{&spilled, 3U}, std::pair{&tokens, 4U}, std::pair{&avoided, 5U}})
        to->fetch_add(memory.counts[from], std::memory_order_relaxed);
    first_byte_us.fetch_add(static_cast<std::int64_t>(memory.counts[6]), std::memory_order_relaxed);
    if (memory.resource != resource_of(config)) return;
    open(breaker, memory.whole, now);
    const std::scoped_lock lock(mutex_);
    for (const BackendMemory::Deployment& one : memory.deployments) {
        Slot& slot = slot_called(one.name);
        slot.asked.store(true, std::memory_order_relaxed);
        open(slot.quota, one.quota, now);
        open(slot.failures, one.failures, now);
        if (one.levels) slot.mirror.restore(*one.levels);
    }
}

}  // namespace spillway::routing
