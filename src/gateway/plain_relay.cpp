#include "gateway/plain_relay.hpp"

#include "api/work_state.hpp"
#include "gateway/answer_head.hpp"
#include "gateway/evidence.hpp"
#include "gateway/learn_objects.hpp"
#include "gateway/own_list.hpp"
#include "gateway/plain_machine.hpp"
#include "gateway/stream_words.hpp"

namespace spillway::gateway {
namespace {

/// Held answers are charged to limits.memory in such steps.
constexpr std::size_t kHeldStep = 64 * 1024;

/// What a whole answer says of its usage. One about work that an earlier request began shows that one's.
void note_usage(Report& report, const Asked& asked, std::string_view method, std::string_view answer,
                const std::optional<api::Usage>& usage, routing::Outcome& outcome) {
    if (asked.operation().makes_ids) {
        const api::WorkState state = api::read_work_state(answer);
        report.work.id = state.id;
        report.work.status = state.status;
        const auto ids = asked.affinity.ids.view();
        const bool named = asked.object.ids > 0 && !state.id.empty() && ids.front() == state.id;
        report.work.looked_at = method != "POST" || named;
    }
    if (!usage) return;
    if (report.work.looked_at) {
        report.work.usage = usage;
        return;
    }
    report.note_usage(*usage);
    outcome.tokens = usage->total;
}

/// The rest of an answer that is not held: a break can only be shown as a break.
Task<AttemptEnd> pass_through(Attempt& attempt, const http::ResponseHead& head, PlainMachine& machine,
                              PlainAction action) {
    RequestParts& parts = attempt.parts();
    routing::Outcome outcome = attempt.judge({.status = head.status}, &head);
    const Duration stall = attempt.stall();
    attempt.answer_begins();
    attempt.serves(outcome.limits);
    if (head.status < 300) {
        (void)learn_from_beginning(parts, machine.pass(), attempt.backend());
        learn_location(parts, head.fields.get("location"), attempt.backend());
    }
    parts.deadline.disarm();
    parts.downstream.start(
        head, head.framing == http::Framing::length ? std::optional(head.content_length) : std::nullopt);
    bool reuse = false;
    for (;;) {
        if (action == PlainAction::pass) {
            const std::string_view piece = machine.pass();
            if (!parts.report.first_byte && is_json(head)) parts.report.note_model(piece);
            const bool sent = co_await parts.downstream.send({&piece, 1}, false);
            if (!sent) {
                parts.report.ending = Ending::client_left;
                outcome = attempt.judge({.came = routing::Came::client_left}, nullptr);
                break;
            }
        } else if (action == PlainAction::end) {
            (void)co_await parts.downstream.send({}, true);
            const std::string_view method = parts.exchange.request().method;
            if (const auto usage = api::find_usage(machine.tail()); usage && method == "POST") {
                parts.report.note_usage(*usage);
                outcome.tokens = usage->total;
            }
            reuse = true;
            break;
        }
        const auto next = co_await attempt.upstream().read_body(stall);
        if (!next) {
            const routing::Came came = attempt.came_of(next.error());
            parts.downstream.abort();
            parts.report.ending = parts.worker.ending()                ? Ending::shutdown
                                  : came == routing::Came::client_left ? Ending::client_left
                                  : came == routing::Came::timed_out   ? Ending::timeout
                                                                       : Ending::answer_cut;
            outcome = attempt.judge({.came = came, .status = head.status, .output_sent = true}, nullptr);
            outcome.detail = next.error().message;
            break;
        }
        action = machine.feed(*next);
    }
    parts.clock.read();
    co_return attempt.ended(std::move(outcome), reuse);
}

/// A thing with an id that is not there may live at another backend that was not asked yet.
bool may_live_elsewhere(RequestParts& parts, unsigned status, std::string_view body) {
    Affinity& affinity = parts.asked.affinity;
    if (!parts.asked.names_things() && !affinity.names_model) return false;
    if (!says_not_here(status, body)) return false;
    affinity.pinned.reset();
    return parts.report.tried.size() + 1 < parts.config().backends.size();
}

FailedAnswer keep(const http::ResponseHead& head, std::string_view body) {
    constexpr std::size_t most = 64 * 1024;
    return {.status = head.status,
            .content_type = std::string(head.fields.get("content-type")),
            .body = std::string(body.substr(0, most)),
            .no_retry = iequals(head.fields.get("x-should-retry"), "false")};
}

/// Nothing went down, and the answer is no use: what it says decides what follows.
AttemptEnd fail_with(Attempt& attempt, const http::ResponseHead& head, std::string_view whole,
                     routing::Outcome outcome) {
    const std::string shown = attempt.without_credential(whole);
    attempt.parts().report.failed_answer = keep(head, shown);
    if (outcome.verdict->whose != routing::Whose::quota) outcome.detail = shown.substr(0, 200);
    attempt.upstream().done();
    return attempt.failed(std::move(outcome));
}

/// A page of a list: for the list, which answers when it is whole.
AttemptEnd take_page(Attempt& attempt, std::string_view whole, routing::Outcome outcome) {
    RequestParts& parts = attempt.parts();
    attempt.serves(outcome.limits);
    attempt.answer_begins();
    attempt.report(std::move(outcome));
    parts.list->page(whole);
    return attempt.release(true);
}

Task<AttemptEnd> answer_whole(Attempt& attempt, const http::ResponseHead& head, std::string_view whole,
                              routing::Outcome outcome) {
    RequestParts& parts = attempt.parts();
    if (head.status < 400) {
        attempt.serves(outcome.limits);
        parts.report.note_model(whole);
        learn_objects(parts, whole, attempt.backend());
        learn_location(parts, head.fields.get("location"), attempt.backend());
        note_usage(parts.report, parts.asked, parts.exchange.request().method, whole,
                   api::dialect(attempt.config().kind).usage(whole), outcome);
    } else {
        parts.report.ending = Ending::client_error;
    }
    if (head.status < 400) attempt.output_begins();
    attempt.answer_begins();
    attempt.report(std::move(outcome));
    std::string shown;
    if (head.status >= 400) whole = shown = attempt.without_credential(whole);
    std::optional<std::uint64_t> length = whole.size();
    if (parts.exchange.request().method == "HEAD")
        length = parse_int<std::uint64_t>(head.fields.get("content-length"));
    std::string event;
    if (parts.downstream.is_stream_already()) {
        event = data_event(whole);
        whole = event;
    }
    parts.downstream.start(head, length);
    const bool sent = co_await parts.downstream.send({&whole, 1}, true);
    if (!sent) parts.report.ending = Ending::client_left;
    co_return attempt.release(true);
}

}  // namespace

Task<AttemptEnd> relay_plain(Attempt& attempt, const http::ResponseHead& head,
                             std::optional<std::string> begin) {
    RequestParts& parts = attempt.parts();
    const api::Operation& operation = parts.asked.operation();
    const bool sized = head.framing == http::Framing::length;
    const bool lines = begin && is_json_lines(head) && !begins_as_error(*begin);
    const bool hold = head.status >= 300 || (operation.answers_json && !lines) || is_json(head) ||
                      parts.exchange.request().method == "HEAD";
    const std::size_t most =
        parts.list != nullptr ? OwnList::kMostPage : parts.config().limits.max_answer_buffer_bytes;
    PlainMachine machine(sized ? std::optional(head.content_length) : std::nullopt, most,
                         hold || parts.list != nullptr);
    MemoryCharge held;
    PlainAction action = begin ? machine.feed(*begin) : PlainAction::hold;
    while (action == PlainAction::hold) {
        if (machine.passing() && parts.list == nullptr)
            co_return co_await pass_through(attempt, head, machine, action);
        http::NetResult<std::string_view> piece = std::string_view();
        if (const auto ready = attempt.upstream().body_now()) {
            piece = *ready;
        } else {
            piece = co_await attempt.upstream().read_body(attempt.time_left());
            parts.clock.read();
        }
        if (!piece) {
            // What a refusal's head says is enough.
            if (head.status >= 400 && !parts.over())
                co_return attempt.failed(attempt.judge({.status = head.status}, &head));
            co_return attempt.failed(piece.error());
        }
        // A refusal is short, and has to be understood whatever else is scarce.
        if (const std::size_t size = head.status < 300 ? machine.would_hold(*piece) : 0;
            size > 0 && !held.grow_to(&parts.worker.memory(), (size / kHeldStep + 1) * kHeldStep))
            machine.hold_no_more();
        action = machine.feed(*piece);
    }
    if (parts.list != nullptr && action == PlainAction::pass)
        co_return attempt.failed(attempt.judge({.came = routing::Came::malformed}, &head));
    if (action == PlainAction::pass) co_return co_await pass_through(attempt, head, machine, action);

    const std::string_view whole = machine.whole();
    if (parts.upstream_request.added_usage() && refuses_stream_options(head.status, whole)) {
        attempt.upstream().done();
        co_return AttemptEnd::failed;
    }
    std::optional<api::ApiError> error;
    const bool bodiless = parts.exchange.request().method == "HEAD" || head.status == 204;
    routing::Evidence evidence{.status = head.status};
    if (!bodiless) evidence = evidence_of_answer(head.status, head.fields.get("content-type"), whole, error);
    routing::Outcome outcome = attempt.judge(evidence, &head);
    const bool not_here = may_live_elsewhere(parts, head.status, whole);
    if (not_here) outcome.verdict->elsewhere = true;
    if (outcome.verdict->elsewhere || outcome.verdict->whose == routing::Whose::request)
        co_return fail_with(attempt, head, whole, std::move(outcome));
    if (parts.list != nullptr && head.status < 300) co_return take_page(attempt, whole, std::move(outcome));
    if (parts.list != nullptr && parts.list->has_more_places())
        co_return fail_with(attempt, head, whole, std::move(outcome));
    co_return co_await answer_whole(attempt, head, whole, std::move(outcome));
}

}  // namespace spillway::gateway
