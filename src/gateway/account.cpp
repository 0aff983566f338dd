// What a request leaves behind: one access-log line, metrics, and the fields that tell the client.
#include <algorithm>

#include "base/pen.hpp"
#include "gateway/request.hpp"

namespace spillway::gateway {

void Request::Claim::began(const api::RateLimits& limits) {
    const auto& snapshot = *request_.upstreams_->snapshot;
    if (const auto charged = snapshot.router->began(lease_, limits, request_.now_.mono))
        snapshot.estimators->of(request_.deployment_ref_.index).charged(request_.shape_, *charged);
}

void Request::Claim::end(routing::Outcome outcome) {
    if (ended_) return;
    ended_ = true;
    const Mono now = request_.now_.mono;
    outcome.first_byte = first_byte_;
    request_.upstreams_->snapshot->router->ended(lease_, outcome, now);
    request_.notes_.push_back({lease_.backend, outcome.status, outcome.kind, now - began_});
    const auto& name = request_.backend(lease_.backend).name;
    request_.upstreams_->metrics.attempt(name, lease_.backend, outcome.kind);
    if (first_byte_ > Duration::zero())
        request_.upstreams_->metrics.first_byte(name, lease_.backend, first_byte_);
}

/// The answer told its usage: for the ledger of this request, and for the router.
void Request::note_usage(const api::Usage& usage, routing::Outcome& outcome) noexcept {
    usage_ = usage;
    usage_known_ = true;
    outcome.tokens = usage.total;
}

void Request::append_spillway_fields(std::string& out) const {
    const std::string_view served_by = served_by_ ? std::string_view(backend(*served_by_).name) : "";
    // In each answer: appending piece by piece to the string costs more than what is said.
    Pen pen(out, 416 + served_by.size() + id_.size());
    if (served_by_) {
        pen.text("x-spillway-backend: ");
        pen.text(served_by);
        pen.text("\r\n");
    }
    pen.text("x-spillway-attempts: ");
    pen.number(attempts_);
    pen.text("\r\nx-request-id: ");
    pen.text(id_);
    pen.text("\r\n");
    if (has_terms()) quota::append_fields(pen, quota::terms(subjects_, now_));
}

bool Request::has_terms() const {
    return std::any_of(subjects_.begin(), subjects_.end(), [](quota::Subject* s) {
        return !s->shadow() && (s->requests().limit() > 0 || s->tokens().limit() > 0);
    });
}

/// The ledger's row.
void Request::enter(const quota::Amounts& charged, Duration took) {
    if (!worker_.ledger) return;
    telemetry::UsageRow row;
    row.time = began_wall_;
    row.request_id = id_;
    row.client = account_->name();
    row.user = user_;
    row.team = team_;
    if (served_by_) row.backend = backend(*served_by_).name;
    row.deployment = deployment_;
    row.model = deployment_;
    row.operation = api::to_string(route_.op);
    row.status = status_;
    row.prompt_tokens = usage_.prompt;
    row.completion_tokens = usage_.completion;
    row.cached_tokens = usage_.cached;
    row.reasoning_tokens = usage_.reasoning;
    row.charged_tokens = static_cast<std::uint64_t>(charged.tokens);
    row.cost = static_cast<std::uint64_t>(charged.cost);
    row.estimated = !usage_known_;
    row.throttled = static_cast<std::uint32_t>(std::count_if(notes_.begin(), notes_.end(), [](const Note& n) {
        return n.kind == routing::OutcomeKind::throttled;
    }));
    row.avoided = avoided_;
    row.spilled = spilled_ && served();
    row.took = took;
    worker_.ledger->append(row);
}

telemetry::Counter& Request::answer_counter() const {
    const Answers& all = upstreams_->metrics.answers;
    if (status_ == 499) return all.left;
    if (status_ == 429 && !served_by_) return outcome_ == "limited" ? all.limited : all.no_quota;
    if (status_ >= 500) return all.failed;
    return status_ >= 400 ? all.refused : all.served;
}

Metrics::Subject Request::subject() const noexcept {
    constexpr std::uint32_t kNobody = 0x3fffffff;
    const auto number = deployment_ref_.index;
    std::string_view deployment = deployment_;
    if (number == 0) deployment = {};  // refused before it was looked up
    if (number + 1 == upstreams_->snapshot->router->deployment_bound()) deployment = "_other";
    if (client_ == nullptr) return {{}, kNobody, deployment, number};
    return {account_->name(), upstreams_->snapshot->clients.index_of(*client_), deployment, number};
}

/// At once, so that the client's next request finds its limits as they are; what was charged, if it was
/// admitted.
std::optional<quota::Amounts> Request::settle() {
    if (!at_once_) read_clock();
    if (served() && usage_known_) {
        upstreams_->snapshot->estimators->of(deployment_ref_.index).used(shape_, usage_);
    } else if (served()) {
        usage_.prompt = estimate_.prompt;
        usage_.completion = output_events_;
    }
    if (!grant_) return std::nullopt;
    const quota::Amounts charged = served() ? charge_of(usage_) : quota::Amounts{};
    if (served() && !scan_.max_tokens) grant_.subjects().front()->learn_output(usage_.completion);
    grant_.settle(charged, now_);
    return charged;
}

/// What nobody waits for.
void Request::record(const std::optional<quota::Amounts>& charged) {
    const Duration total = now_.mono - exchange_.received_at();
    if (charged) enter(*charged, total);
    const Metrics::Subject who = subject();
    upstreams_->metrics.request(who, status_, total, served() && notes_.size() > 1);
    if (served()) upstreams_->metrics.tokens(who, usage_);
    answer_counter().inc();
    if (!worker_.log) return;
    boost::container::small_vector<telemetry::AttemptRecord, 4> attempts;
    for (const Note& n : notes_)
        attempts.push_back(
            {backend(n.backend).name, routing::to_string(n.kind), static_cast<int>(n.status), n.took});
    telemetry::AccessRecord record;
    record.time = began_wall_;
    record.request_id = id_;
    record.client = who.client;
    record.client_address = exchange_.peer();
    record.method = exchange_.request().method;
    record.target = exchange_.request().target;
    record.operation = api::to_string(route_.op);
    record.deployment = deployment_;
    record.stream = scan_.stream;
    if (served_by_) record.backend = backend(*served_by_).name;
    record.attempts = {attempts.data(), attempts.size()};
    record.status = status_;
    record.tokens_in = usage_.prompt;
    record.tokens_out = usage_.completion;
    record.tokens_cached = usage_.cached;
    record.tokens_known = usage_known_;
    record.bytes_out = exchange_.bytes_sent();
    record.first_byte = first_byte_;
    record.total = total;
    record.outcome = outcome_;
    worker_.log->write(record);
}

}  // namespace spillway::gateway
