#include "gateway/report.hpp"

#include <algorithm>

#include "base/pen.hpp"
#include "gateway/key_ring.hpp"

namespace spillway::gateway {

void append_report_fields(std::string& out, const Report& report, std::string_view request_id,
                          std::string_view backend, const quota::Subjects& subjects, quota::Now now) {
    // In each answer: appending piece by piece to the string costs more than what is said.
    Pen pen(out, 416 + backend.size() + request_id.size());
    if (!backend.empty()) {
        pen.text("x-spillway-backend: ");
        pen.text(backend);
        pen.text("\r\n");
    }
    pen.text("x-spillway-attempts: ");
    pen.number(report.attempts);
    pen.text("\r\nx-request-id: ");
    pen.text(request_id);
    pen.text("\r\n");
    if (has_own_terms(subjects)) quota::append_fields(pen, quota::terms(subjects, now));
}

bool has_own_terms(const quota::Subjects& subjects) {
    return std::any_of(subjects.begin(), subjects.end(), [](quota::Subject* s) {
        return !s->shadow() && (s->requests().limit() > 0 || s->tokens().limit() > 0);
    });
}

telemetry::UsageRow usage_row(const Asked& asked, const Report& report, std::string_view backend,
                              const quota::Amounts& charged, const Wire& wire) {
    telemetry::UsageRow row;
    row.time = wire.began;
    row.request_id = asked.id;
    row.client = asked.account->name();
    row.key = key_id(*asked.client);
    row.user = asked.user;
    row.team = asked.team;
    row.backend = backend;
    row.deployment = asked.deployment;
    row.model = report.model();
    row.operation = asked.operation().name;
    row.status = report.status;
    row.prompt_tokens = report.usage.prompt;
    row.completion_tokens = report.usage.completion;
    row.cached_tokens = report.usage.cached;
    row.reasoning_tokens = report.usage.reasoning;
    row.charged_tokens = static_cast<std::uint64_t>(charged.tokens);
    row.cost = static_cast<std::uint64_t>(charged.cost);
    row.estimated = !report.usage_known && report.ending != Ending::limited;
    row.throttled = static_cast<std::uint32_t>(
        std::count_if(report.tried.begin(), report.tried.end(),
                      [](const Tried& t) { return t.kind == routing::OutcomeKind::throttled; }));
    row.avoided = report.avoided;
    row.spilled = report.spilled && report.served();
    row.took = wire.took;
    return row;
}

telemetry::AccessRecord access_record(const Asked& asked, const Report& report, std::string_view backend,
                                      std::string_view client,
                                      std::span<const telemetry::AttemptRecord> attempts, const Wire& wire) {
    telemetry::AccessRecord record;
    record.time = wire.began;
    record.request_id = asked.id;
    record.client = client;
    record.client_address = wire.peer;
    record.method = wire.method;
    record.target = wire.target;
    record.operation = asked.operation().name;
    record.deployment = asked.deployment;
    record.model = report.model();
    record.stream = asked.scan.stream;
    record.backend = backend;
    record.attempts = attempts;
    record.status = report.status;
    record.tokens_in = report.usage.prompt;
    record.tokens_out = report.usage.completion;
    record.tokens_cached = report.usage.cached;
    record.tokens_known = report.usage_known;
    record.bytes_out = wire.bytes_sent;
    record.first_byte = report.first_byte;
    record.total = wire.took;
    record.outcome = to_string(report.ending);
    return record;
}

telemetry::Counter& answer_counter(const Answers& answers, const Report& report) {
    switch (report.ending) {
        case Ending::limited:
            return answers.limited;
        case Ending::out_of_quota:
            return answers.no_quota;
        default:
            break;
    }
    if (report.status == 499) return answers.left;
    if (report.status >= 500) return answers.failed;
    return report.status >= 400 ? answers.refused : answers.served;
}

Metrics::Labels metrics_labels(const Asked& asked, std::uint32_t client_index, std::uint32_t bound) noexcept {
    constexpr std::uint32_t kNobody = 0x3fffffff;
    const auto number = asked.deployment_ref.index;
    std::string_view deployment = asked.deployment;
    if (number == 0) deployment = {};  // refused before it was looked up
    if (number + 1 == bound) deployment = "_other";
    if (asked.client == nullptr) return {{}, kNobody, deployment, number};
    return {asked.account->name(), client_index, deployment, number};
}

}  // namespace spillway::gateway
