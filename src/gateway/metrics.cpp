#include "gateway/metrics.hpp"

#include <fmt/format.h>

namespace spillway::gateway {

namespace {

telemetry::Counter& answers_of(telemetry::Registry& registry, std::string_view kind) {
    return registry.counter("spillway_answers_total", "What became of requests, as clients saw it",
                            {{"kind", kind}});
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
      request_seconds_(registry.histogram("spillway_request_seconds",
                                          "From a request's first byte to the end of its answer")),
      rescued_(registry.counter("spillway_rescued_requests_total",
                                "Requests served well after at least one backend refused or failed")) {}

void Metrics::request(const Subject& who, int status, Duration total, bool rescued) {
    const std::uint64_t key = (std::uint64_t{who.client_index} << 32U) |
                              (std::uint64_t{who.deployment_index & 0x3fffffU} << 10U) |
                              static_cast<std::uint64_t>(status & 0x3ff);
    auto& counter = requests_[key];
    if (counter == nullptr) {
        const auto code = fmt::format_int(status);
        counter = &registry_.counter(
            "spillway_requests_total", "Requests by client, deployment and status sent to the client",
            {{"client", who.client}, {"deployment", who.deployment}, {"status", {code.data(), code.size()}}});
    }
    counter->inc();
    request_seconds_.observe(total);
    if (rescued) rescued_.inc();
}

void Metrics::first_byte(std::string_view backend, std::uint32_t backend_index, Duration took) {
    if (first_byte_.size() <= backend_index) first_byte_.resize(backend_index + 1, nullptr);
    auto& histogram = first_byte_[backend_index];
    if (histogram == nullptr)
        histogram = &registry_.histogram("spillway_first_byte_seconds",
                                         "From sending to a backend to the first byte of its answer",
                                         {{"backend", backend}});
    histogram->observe(took);
}

void Metrics::attempt(std::string_view backend, std::uint32_t backend_index, routing::OutcomeKind kind) {
    auto& counter = attempts_[(std::uint64_t{backend_index} << 8U) | static_cast<std::uint64_t>(kind)];
    if (counter == nullptr)
        counter = &registry_.counter("spillway_attempts_total", "Attempts by backend and outcome",
                                     {{"backend", backend}, {"outcome", routing::to_string(kind)}});
    counter->inc();
}

void Metrics::tokens(const Subject& who, const api::Usage& usage) {
    auto& counters = tokens_[(std::uint64_t{who.client_index} << 32U) | who.deployment_index];
    if (counters.prompt == nullptr) {
        const auto of = [&](std::string_view kind) {
            return &registry_.counter(
                "spillway_tokens_total", "Tokens by client, deployment and kind",
                {{"client", who.client}, {"deployment", who.deployment}, {"kind", kind}});
        };
        counters = {of("prompt"), of("completion"), of("cached"), of("reasoning")};
    }
    counters.prompt->inc(usage.prompt);
    counters.completion->inc(usage.completion);
    counters.cached->inc(usage.cached);
    counters.reasoning->inc(usage.reasoning);
}

}  // namespace spillway::gateway
