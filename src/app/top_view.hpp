#pragma once
/// One frame of `spillway top`: the admin plane's answers read, and drawn as text.
///
/// Ownership: values. Thread rule: free functions, safe everywhere. Errors: an answer that is not as it
/// should be.
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
    std::optional<double> token_limit;  ///< tokens a minute
    double tokens_used = 0;
};

struct Frame {
    std::vector<Backend> backends;
    std::vector<Client> clients;
    Mono taken{};
};

/// Of /api/live.
[[nodiscard]] Result<std::vector<Backend>> read_backends(std::string_view json);
/// Of the same.
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
    std::string filter;  ///< of backends, deployments and clients whose name has it; empty: all
};

/// Lines that are no wider than the terminal. Rates come from the difference to `before`; without one, or
/// after the gateway was restarted, they are not shown.
[[nodiscard]] std::vector<std::string> draw(const Frame& frame, const Frame* before, const Look& look);

/// `line` cut after `columns` columns of a terminal; colours take none, and end.
[[nodiscard]] std::string fit(std::string_view line, std::size_t columns);

}  // namespace spillway::app::top
