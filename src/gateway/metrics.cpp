#include "gateway/metrics.hpp"

#include <fmt/format.h>

namespace spillway::gateway {

namespace {

telemetry::Counter& answers_of(telemetry::Registry& registry, std::string_view kind) {
    return registry.counter("spillway_answers_total", "What became of requests, as clients saw it",
                            {{"kind", kind}});
}

constexpr std::uint64_t key_of(std::uint32_t client_index, std::uint32_t deployment_index) noexcept {
    return (std::uint64_t{client_index} << 32U) | deployment_index;
}

}  // namespace

telemetry::UpDown& requests_in_flight(telemetry::Registry& registry) {
    return registry.up_down("spillway_requests_in_flight", "Requests being worked on");
}

Answers::Answers(telemetry::Registry& registry)
    : served(answers_of(registry, "served")),
      limited(answers_of(registry, "limited")),
      no_quota(answers_of(registry, "no_quota")),
      refused(answers_of(registry, "refused")),
      failed(answers_of(registry, "failed")),
      left(answers_of(registry, "left")) {}

Metrics::Metrics(telemetry::Registry& registry)
    : in_flight(requests_in_flight(registry)),
      answers(registry),
      registry_(registry),
      shard_(registry.own_shard()),
      request_seconds_(registry.histogram("spillway_request_seconds",
                                          "From a request's first byte to the end of its answer")),
      rescued_(registry.counter("spillway_rescued_requests_total",
                                "Requests served well after at least one backend refused or failed")) {}

telemetry::Counter& Metrics::answered(const Labels& who, int status) {
    const auto code = fmt::format_int(status);
    return registry_.counter(
        "spillway_requests_total", "Requests by client, deployment and status sent to the client",
        {{"client", who.client}, {"deployment", who.deployment}, {"status", {code.data(), code.size()}}});
}

Metrics::Row Metrics::make_row(const Labels& who) {
    const auto of = [&](std::string_view kind) {
        return telemetry::OwnCount(
            registry_.counter("spillway_tokens_total", "Tokens by client, deployment and kind",
                              {{"client", who.client}, {"deployment", who.deployment}, {"kind", kind}}),
            shard_);
    };
    return {telemetry::OwnCount(answered(who, 200), shard_), of("prompt"), of("completion"), of("cached"),
            of("reasoning")};
}

Metrics::Row* Metrics::find_row(std::uint32_t client_index, std::uint32_t deployment_index) noexcept {
    if (client_index < first_rows_.size()) {
        FirstRow* const first = first_rows_[client_index].get();
        if (first != nullptr && first->deployment == deployment_index) return &first->row;
    }
    const auto known = rows_.find(key_of(client_index, deployment_index));
    return known == rows_.end() ? nullptr : &known->second;
}

Metrics::Row& Metrics::row(const Labels& who) {
    if (Row* const known = find_row(who.client_index, who.deployment_index)) return *known;
    if (who.client_index < kMostClients) {
        if (first_rows_.size() <= who.client_index) first_rows_.resize(who.client_index + 1);
        if (auto& first = first_rows_[who.client_index]; first == nullptr) {
            first = make_packed<FirstRow>(who.deployment_index, make_row(who));
            return first->row;
        }
    }
    return rows_.emplace(key_of(who.client_index, who.deployment_index), make_row(who)).first->second;
}

std::span<const std::byte> Metrics::client_memory(std::uint32_t index) const noexcept {
    if (index >= first_rows_.size() || first_rows_[index] == nullptr) return {};
    return std::as_bytes(std::span(first_rows_[index].get(), 1));
}

std::span<const std::byte> Metrics::backend_memory(std::uint32_t index) const noexcept {
    if (index >= backends_.size()) return {};
    return std::as_bytes(std::span(backends_).subspan(index, 1));
}

void Metrics::request(const Labels& who, int status, Duration total, bool rescued) {
    if (status == 200) {
        row(who).served.inc();
    } else {
        const std::uint64_t key = (std::uint64_t{who.client_index} << 32U) |
                                  (std::uint64_t{who.deployment_index & 0x3fffffU} << 10U) |
                                  static_cast<std::uint64_t>(status & 0x3ff);
        auto& counter = refused_[key];
        if (counter == nullptr) counter = &answered(who, status);
        counter->inc();
    }
    request_seconds_.observe(total);
    if (rescued) rescued_.inc();
}

Metrics::Backend& Metrics::backend(std::uint32_t index) {
    if (backends_.size() <= index) backends_.resize(index + 1);
    return backends_[index];
}

void Metrics::first_byte(std::string_view name, std::uint32_t index, Duration took) {
    auto& histogram = backend(index).first_byte;
    if (histogram == nullptr)
        histogram = &registry_.histogram("spillway_first_byte_seconds",
                                         "From sending to a backend to the first byte of its answer",
                                         {{"backend", name}});
    histogram->observe(took);
}

void Metrics::attempt(std::string_view name, std::uint32_t index, routing::OutcomeKind kind) {
    auto& count = backend(index).attempts[static_cast<std::size_t>(kind)];
    if (!count)
        count = telemetry::OwnCount(
            registry_.counter("spillway_attempts_total", "Attempts by backend and outcome",
                              {{"backend", name}, {"outcome", routing::to_string(kind)}}),
            shard_);
    count.inc();
}

void Metrics::tokens(const Labels& who, const api::Usage& usage) {
    Row& counts = row(who);
    counts.prompt.inc(usage.prompt);
    counts.completion.inc(usage.completion);
    counts.cached.inc(usage.cached);
    counts.reasoning.inc(usage.reasoning);
}

}  // namespace spillway::gateway
