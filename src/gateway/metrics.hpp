#pragma once
/// The gateway's metrics. A Metrics belongs to one worker's use of one configuration: it remembers which
/// counters belong to which client and backend by their index, so that counting takes no lock and builds no
/// string.
///
/// Names follow Prometheus' conventions: seconds, `_total`. Ownership: the Registry must outlive it.
/// Thread rule: a Metrics from its worker's thread only; the counters themselves are shared.
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "api/usage.hpp"
#include "base/cache_line.hpp"
#include "base/clock.hpp"
#include "base/packed_heap.hpp"
#include "gateway/answers.hpp"
#include "routing/router.hpp"
#include "telemetry/metrics.hpp"

namespace spillway::gateway {

class Metrics {
public:
    static constexpr std::uint32_t kMostClients = 0x00ff'ffffU;
    explicit Metrics(telemetry::Registry& registry);

    struct Labels {
        std::string_view client;
        std::uint32_t client_index = 0;  ///< dense up to kMostClients
        std::string_view deployment;
        std::uint32_t deployment_index = 0;
    };
    /// The memory that counting for a client reads …
    [[nodiscard]] std::span<const std::byte> client_memory(std::uint32_t index) const noexcept;
    /// … and for a backend; empty if there is none yet.
    [[nodiscard]] std::span<const std::byte> backend_memory(std::uint32_t index) const noexcept;
    /// One request's end. `rescued`: served after at least one attempt failed.
    void request(const Labels& who, int status, Duration total, bool rescued);
    void first_byte(std::string_view backend, std::uint32_t backend_index, Duration took);
    void attempt(std::string_view backend, std::uint32_t backend_index, routing::OutcomeKind kind);
    void tokens(const Labels& who, const api::Usage& usage);

    telemetry::UpDown& in_flight;
    const Answers answers;

private:
    /// The counters of a request of one client for one deployment that is answered with 200.
    struct Row {
        telemetry::OwnCount served;
        telemetry::OwnCount prompt;
        telemetry::OwnCount completion;
        telemetry::OwnCount cached;
        telemetry::OwnCount reasoning;
    };
    /// The row of the deployment that a client used first; most use no other. Of many clients few use any.
    struct alignas(kCacheLine) FirstRow {
        FirstRow(std::uint32_t number, Row counts) noexcept : deployment(number), row(counts) {}
        std::uint32_t deployment;
        Row row;
    };
    static constexpr std::size_t kOutcomes = static_cast<std::size_t>(routing::OutcomeKind::cancelled) + 1;
    struct Backend {
        telemetry::Histogram* first_byte = nullptr;
        std::array<telemetry::OwnCount, kOutcomes> attempts;
    };
    [[nodiscard]] telemetry::Counter& answered(const Labels& who, int status);
    [[nodiscard]] Row* find_row(std::uint32_t client_index, std::uint32_t deployment_index) noexcept;
    Row& row(const Labels& who);
    [[nodiscard]] Row make_row(const Labels& who);
    Backend& backend(std::uint32_t index);

    telemetry::Registry& registry_;
    const std::size_t shard_;
    telemetry::Histogram& request_seconds_;
    telemetry::Counter& rescued_;
    std::vector<Packed<FirstRow>> first_rows_;                               ///< by client, without a look-up
    boost::unordered_flat_map<std::uint64_t, Row> rows_;                     ///< the others
    boost::unordered_flat_map<std::uint64_t, telemetry::Counter*> refused_;  ///< other answers than 200
    std::vector<Backend> backends_;
};

}  // namespace spillway::gateway
