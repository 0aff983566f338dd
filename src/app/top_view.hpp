#pragma once
/// One frame of `spillway top`: parses the admin plane's answers, and draws them as text.
///
/// Ownership: values. Thread rule: free functions, safe everywhere. Errors: an answer that cannot be
/// parsed.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace spillway::app::top {

struct Deployment {
    std::string name;
    std::string state;
    std::optional<double> tpm;
    std::optional<double> remaining_tokens;
    double reserved_tokens = 0;
};

struct Backend {
    std::string name;
    std::string state;
    std::string reason;
    double seconds_left = 0;
    std::uint64_t priority = 1;
    std::uint64_t weight = 1;
    std::uint64_t in_flight = 0;
    std::uint64_t served = 0;
    std::uint64_t throttled = 0;
    std::uint64_t failed = 0;
    std::vector<Deployment> deployments;
};

struct Client {
    std::string kind;
    std::string name;
    std::uint64_t in_flight = 0;
    std::uint64_t tokens_last_minute = 0;
    std::uint64_t refused = 0;
    std::optional<double> token_limit;  ///< tokens per minute
    double tokens_used = 0;
};

struct Frame {
    std::vector<Backend> backends;
    std::vector<Client> clients;
    Mono taken{};
};

/// From /api/live.
[[nodiscard]] Result<std::vector<Backend>> read_backends(std::string_view json);
/// From the same.
[[nodiscard]] Result<std::vector<Client>> read_clients(std::string_view json);

enum class Order : std::uint8_t {
    usual,  ///< backends by priority, clients by their tokens
    name,
    open,     ///< most requests first
    refused,  ///< most 429 and failures, or refusals, first
};
[[nodiscard]] std::string_view to_string(Order order) noexcept;
[[nodiscard]] std::optional<Order> find_order(std::string_view name) noexcept;

struct Look {
    std::size_t columns = 100;
    bool colour = false;
    Order order = Order::usual;
    std::string filter;  ///< part of the names of backends, deployments and clients; empty: all
};

/// Lines no wider than the terminal. Rates are differences from `before`; without it, or after the gateway
/// has restarted, they are not shown.
[[nodiscard]] std::vector<std::string> draw(const Frame& frame, const Frame* before, const Look& look);

/// `line` cut to `columns` columns; colour codes take none, and are closed.
[[nodiscard]] std::string fit(std::string_view line, std::size_t columns);

}  // namespace spillway::app::top
