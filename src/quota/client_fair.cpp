#include "quota/client_fair.hpp"

namespace spillway::quota {

void FairShare::set_capacity(std::int64_t tokens_per_minute, std::int64_t in_flight) noexcept {
    token_capacity_.store(tokens_per_minute, std::memory_order_relaxed);
    flight_capacity_.store(in_flight, std::memory_order_relaxed);
}

void FairShare::set_clients(const std::vector<Subject*>& clients) {
    const std::lock_guard lock(mutex_);
    clients_.assign(clients.begin(), clients.end());
    refreshed_at_.store(0, std::memory_order_relaxed);
}

void FairShare::refresh(Now now) noexcept {
    const std::int64_t at = now.mono.time_since_epoch().count();
    std::int64_t last = refreshed_at_.load(std::memory_order_relaxed);
    if (last != 0 && at - last < kRefresh.count()) return;
    if (!refreshed_at_.compare_exchange_strong(last, at, std::memory_order_relaxed)) return;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return;
    std::int64_t with_tokens = 0;
    std::int64_t with_flights = 0;
    for (Subject* client : clients_) {
        if (client->tokens().used_here(now) > 0) with_tokens += client->share_weight();
        if (client->in_flight().used_here(now) > 0) with_flights += client->share_weight();
    }
    active_tokens_.store(with_tokens, std::memory_order_relaxed);
    active_flight_.store(with_flights, std::memory_order_relaxed);
}

bool FairShare::within(Subject& client, std::int64_t capacity, std::int64_t total, std::int64_t own,
                       std::int64_t more, std::int64_t active) const noexcept {
    if (static_cast<double>(total + more) <= kContended * static_cast<double>(capacity)) return true;
    const std::int64_t mine = client.share_weight();
    const std::int64_t all = std::max(active + (own == 0 ? mine : 0), mine);
    const double share = static_cast<double>(capacity) * static_cast<double>(mine) / static_cast<double>(all);
    return static_cast<double>(own + more) <= share;
}

bool FairShare::admits(Subject& client, std::int64_t tokens, Now now, Refusal& refusal) noexcept {
    const std::int64_t token_capacity = token_capacity_.load(std::memory_order_relaxed);
    const std::int64_t flight_capacity = flight_capacity_.load(std::memory_order_relaxed);
    if (token_capacity == 0 && flight_capacity == 0) return true;
    refresh(now);
    refusal.subject = &client;
    refusal.reason = Reason::fair_share;
    refusal.retry_in = std::chrono::seconds(1);
    if (token_capacity > 0) {
        const std::int64_t own = client.tokens().used_here(now);
        if (!within(client, token_capacity, tokens_.used(now), own, tokens,
                    active_tokens_.load(std::memory_order_relaxed))) {
            refusal.limit = token_capacity;
            refusal.wanted = tokens;
            refusal.used = own;
            return false;
        }
    }
    if (flight_capacity > 0) {
        const std::int64_t own = client.in_flight().used_here(now);
        if (!within(client, flight_capacity, in_flight_.used(now), own, 1,
                    active_flight_.load(std::memory_order_relaxed))) {
            refusal.limit = flight_capacity;
            refusal.wanted = 1;
            refusal.used = own;
            return false;
        }
    }
    return true;
}

void FairShare::reserve(std::int64_t tokens, Now now) noexcept {
    if (token_capacity_.load(std::memory_order_relaxed) > 0) tokens_.add(tokens, now);
    in_flight_.add(1, now);
}

void FairShare::undo(std::int64_t tokens, Now then) noexcept {
    tokens_.give_back(tokens, then);
    in_flight_.give_back(1, then);
}

void FairShare::settle(std::int64_t reserved, std::int64_t used, Now then, Now now, bool in_flight) noexcept {
    if (used < reserved)
        tokens_.give_back(reserved - used, then);
    else if (token_capacity_.load(std::memory_order_relaxed) > 0)
        tokens_.add(used - reserved, now);
    if (in_flight) in_flight_.give_back(1, then);
}

}  // namespace spillway::quota
