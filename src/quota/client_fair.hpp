#pragma once
/// Shares the gateway's whole capacity fairly among its clients.
///
/// While less than kContended of the capacity is in use, every client is admitted. Beyond that, a client is
/// admitted only up to its fair share: capacity × its weight ÷ the weights of all active clients. So the rest
/// of the capacity is kept for clients below their share, and a client within its share is never refused
/// here, whatever the others do. Active clients are those that used tokens in the last minute or have
/// requests in flight.
///
/// Two capacities may be set: tokens per minute (of all backends together) and requests in flight.
/// Thread rule: any function from any thread; only set_clients() waits for a lock. Errors: none.
#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "quota/client_subject.hpp"

namespace spillway::quota {

class FairShare {
public:
    static constexpr double kContended = 0.8;
    static constexpr Duration kRefresh = std::chrono::milliseconds(200);

    void set_capacity(std::int64_t tokens_per_minute, std::int64_t in_flight) noexcept;
    void set_clients(const std::vector<Subject*>& clients);

    /// Whether `client` may use this much now. Call before its own limits are charged.
    [[nodiscard]] bool admits(Subject& client, std::int64_t tokens, Now now, Refusal& refusal) noexcept;
    void reserve(std::int64_t tokens, Now now) noexcept;
    void undo(std::int64_t tokens, Now then) noexcept;
    void leave_flight(Now then) noexcept { in_flight_.give_back(1, then); }
    void settle(std::int64_t reserved, std::int64_t used, Now then, Now now, bool in_flight) noexcept;

private:
    void refresh(Now now) noexcept;
    [[nodiscard]] bool within(Subject& client, std::int64_t capacity, std::int64_t total, std::int64_t own,
                              std::int64_t more, std::int64_t active) const noexcept;

    std::atomic<std::int64_t> token_capacity_{0};
    std::atomic<std::int64_t> flight_capacity_{0};
    MinuteUsage tokens_;
    MomentUsage in_flight_;
    std::mutex mutex_;  ///< for clients_; a refresh that finds it locked is skipped
    std::vector<SubjectRef> clients_;
    std::atomic<std::int64_t> refreshed_at_{0};
    std::atomic<std::int64_t> active_tokens_{0};  ///< sum of weights of clients with tokens in the window
    std::atomic<std::int64_t> active_flight_{0};  ///< … with requests in flight
};

}  // namespace spillway::quota
