#include "gateway/stream_relay.hpp"

#include <algorithm>

#include "gateway/evidence.hpp"
#include "gateway/learn_objects.hpp"
#include "gateway/warmup.hpp"

namespace spillway::gateway {
namespace {

/// The id of what an answer makes comes within so much of it, or not at all.
constexpr std::size_t kMostBeginning = std::size_t{64} * 1024;

StreamRules rules_of(const RequestParts& parts) {
    const config::StreamConfig& stream = parts.config().stream;
    const api::Operation& operation = parts.asked.operation();
    return {.events = operation.events,
            .facts = facts_of(parts.asked),
            // The id of work that goes on without its client is worth more than a silent retry.
            .late_commit = stream.late_commit && !parts.asked.scan.background,
            .pass_keep_alives = stream.heartbeat > Duration::zero(),
            .hide_usage = parts.upstream_request.added_usage(),
            .answers = std::max(parts.asked.scan.n, 1U),
            .max_preamble_bytes = stream.max_preamble_bytes,
            .sealed_reasoning = operation.sealed_reasoning};
}

}  // namespace

Task<AttemptEnd> relay_stream(Attempt& attempt, const http::ResponseHead& head, std::string begin) {
    StreamRelay relay(attempt, head);
    co_return co_await relay.run(begin);
}

StreamRelay::StreamRelay(Attempt& attempt, const http::ResponseHead& head)
    : attempt_(attempt),
      parts_(attempt.parts()),
      downstream_(parts_.downstream),
      wheel_(TimerWheel::of(parts_.exchange.loop())),
      writing_(parts_.exchange.place_of_writing()),
      stall_(attempt.stall()),
      wants_id_(may_have_id(parts_.asked)),
      machine_(rules_of(parts_), api::dialect(attempt.config().kind), parts_.worker.classifier,
               *parts_.upstreams.snapshot->affinity, attempt.backend()),
      silence_([this] {
          silent_ = true;
          attempt_.upstream().cancel();
      }),
      head_(head) {
    wheel_.arm(silence_, attempt.time_left());
    start_if_committed();
}

Task<AttemptEnd> StreamRelay::run(std::string_view begin) {
    bool reading = begin.empty() || on_data(begin);
    for (;;) {
        http::NetResult<bool> ended = false;
        if (reading) ended = co_await attempt_.upstream().pour(*this, Duration::zero());
        reading = true;
        const bool whole = ended && *ended;
        if (!ended)
            action_ = machine_.broke(break_of(ended.error()));
        else if (whole)
            action_ = machine_.end();
        if (action_ == StreamAction::retry) {
            if (machine_.result().refused_options)
                co_return AttemptEnd::failed;  // Attempt::run sends it again
            routing::Outcome why = outcome();
            if (!ended) why.detail = ended.error().message;
            if (!machine_.error().empty()) keep_error(why);
            co_return attempt_.failed(std::move(why));
        }
        if (action_ == StreamAction::finish) co_return co_await finish(whole);
        const bool sent = co_await flush();
        if (!sent) {
            machine_.client_left();
            co_return close(false);
        }
    }
}

/// The backend's own words, in case that nobody else can serve.
void StreamRelay::keep_error(routing::Outcome& why) {
    const std::string shown = attempt_.without_credential(machine_.error());
    why.detail = shown.substr(0, 200);
    parts_.report.failed_answer =
        FailedAnswer{.status = head_.status, .content_type = "application/json", .body = shown};
}

void StreamRelay::on_readable() noexcept {
    const std::span<const std::byte> used(reinterpret_cast<const std::byte*>(this),
                                          reinterpret_cast<const std::byte*>(&silence_ + 1));
    warmup::stream(used, downstream_, writing_);
}

bool StreamRelay::on_data(std::string_view chunk) {
    // Azure's first chunk leaves it empty; what does not say by the fourth never does.
    if (chunks_ < 4) {
        ++chunks_;
        parts_.report.note_model(chunk);
    }
    if (wants_id_) beginning_.append(chunk.substr(0, kMostBeginning - beginning_.size()));
    action_ = machine_.feed(chunk);
    if (!machine_.committed())
        if (auto comments = machine_.said_alive(); comments) downstream_.show_alive(std::move(*comments));
    start_if_committed();
    if (started_ && wants_id_) learn_made();
    if (action_ != StreamAction::proceed) return false;
    watch_for_silence();
    return pass_on();
}

/// Output came, or anything at all of a stream that is not understood: the next has to come in time.
void StreamRelay::watch_for_silence() {
    const std::uint64_t outputs = machine_.result().output_events;
    if (outputs == seen_outputs_ && machine_.understands()) return;
    seen_outputs_ = outputs;
    wheel_.arm(silence_, stall_);
}

void StreamRelay::start_if_committed() {
    if (started_ || !machine_.committed()) return;
    started_ = true;
    parts_.clock.read();
    attempt_.answer_begins();
    if (machine_.result().output_events > 0) attempt_.output_begins();
    attempt_.serves(api::dialect(attempt_.config().kind).limits(head_.fields));
    parts_.deadline.disarm();
    downstream_.start(head_, std::nullopt);
    if (!wants_id_) (void)learn_from_beginning(parts_, {}, attempt_.backend());
}

/// A stream that is committed at once, or begins with output, has no preamble: its first bytes tell the id.
void StreamRelay::learn_made() {
    const std::string_view made = learn_from_beginning(parts_, beginning_, attempt_.backend());
    if (made.empty() && beginning_.size() < kMostBeginning) return;
    wants_id_ = false;
    if (made.empty() || !parts_.asked.operation().makes_ids) return;
    // A background response goes on when its stream is cut.
    parts_.report.work.id = made;
    parts_.report.work.status =
        parts_.asked.scan.background ? api::WorkStatus::under_way : api::WorkStatus::other;
}

/// Did all that is to be sent go out, as far as that can be known at once?
bool StreamRelay::pass_on() {
    if (machine_.pieces().empty()) {
        sent_ = true;
        return true;
    }
    sent_ = downstream_.send_now(machine_.pieces());
    if (sent_ != true) return false;
    machine_.sent();
    return true;
}

/// Waits for the rest of what pass_on() began.
Task<bool> StreamRelay::flush() {
    if (!sent_) sent_ = co_await downstream_.flush();
    machine_.sent();
    co_return *sent_;
}

Task<AttemptEnd> StreamRelay::finish(bool reuse) {
    start_if_committed();
    if (started_ && wants_id_) learn_made();
    const bool sent = co_await downstream_.send(machine_.pieces(), true);
    if (!sent) machine_.client_left();
    co_return close(reuse && sent);
}

AttemptEnd StreamRelay::close(bool reuse) {
    parts_.clock.read();
    return attempt_.ended(outcome(), reuse);
}

Break StreamRelay::break_of(const http::NetError& error) const noexcept {
    if (parts_.exchange.client_gone()) return Break::client_left;
    if (parts_.worker.ending()) return Break::shutdown;
    if (parts_.late) return Break::late;
    return silent_ || error.kind == http::NetError::Kind::timeout ? Break::silence : Break::cut;
}

routing::Outcome StreamRelay::outcome() const {
    const StreamResult& result = machine_.result();
    routing::Outcome out = routing::outcome_of(result.verdict, head_.status);
    const api::Dialect& dialect = api::dialect(attempt_.config().kind);
    out.limits = dialect.limits(head_.fields);
    out.retry_after = dialect.wait_of(head_.fields, wall_now());
    Report& report = parts_.report;
    if (machine_.committed()) report.ending = result.ending;
    report.output_events = result.output_events;
    // A look at an earlier request's work shows that one's.
    if (result.usage && parts_.exchange.request().method == "POST") {
        report.note_usage(*result.usage);
        out.tokens = result.usage->total;
    }
    return out;
}

}  // namespace spillway::gateway
