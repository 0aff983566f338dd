// An answer that is no event stream: held until it is whole, so that it can still be fetched elsewhere if it
// breaks off, and so that its usage is known; passed through once it grows beyond the limit.
#include "api/hop_by_hop.hpp"
#include "api/rate_limit.hpp"
#include "gateway/request.hpp"

namespace spillway::gateway {

namespace {
/// Fields of a backend's answer that its client does not see: what the gateway writes itself and, once the
/// client has limits of its own, the backend's quota.
bool is_withheld(std::string_view name, bool own_limits) noexcept {
    if (name.size() < 11) return false;
    const char first = ascii_lower(name[0]);
    if (first == 'c') return iequals(name, "content-length");
    if (first != 'x') return false;
    switch (ascii_lower(name[2])) {
        case 'r':
            return iequals(name, "x-request-id") || (own_limits && api::is_rate_limit_field(name));
        case 's':
            return istarts_with(name, "x-spillway-");
        default:
            return false;
    }
}
}  // namespace

void Request::start_answer(const http::ResponseHead& head, std::optional<std::uint64_t> length) {
    status_ = static_cast<int>(head.status);
    std::string* const fields = exchange_.start(head.status, length);
    if (fields == nullptr) return;
    const bool own_limits = has_terms();
    api::append_end_to_end(*fields, head.fields,
                           [own_limits](std::string_view name) { return is_withheld(name, own_limits); });
    if (const auto theirs = head.fields.get("x-request-id"); !theirs.empty())
        http::append_field(*fields, "x-spillway-upstream-request-id", theirs);
    append_spillway_fields(*fields);
}

asio::awaitable<bool> Request::send(std::span<const std::string_view> pieces, bool last) {
    bool sent = true;
    if (last)
        sent = co_await exchange_.finish(pieces);
    else
        sent = co_await exchange_.write(pieces);
    note_sent(last);
    co_return sent;
}

void Request::note_sent(bool last) noexcept {
    if (first_byte_) return;
    read_clock();
    first_byte_ = now_.mono - exchange_.received_at();
    at_once_ = last;
}

asio::awaitable<Request::Next> Request::relay_plain(Claim& claim, const http::ResponseHead& head,
                                                    routing::Outcome outcome) {
    const bool served = outcome.kind == routing::OutcomeKind::served;
    if (served) claim.began(outcome.limits);
    const std::size_t limit = config().limits.max_answer_buffer_bytes;
    const Duration idle = backend(claim.backend()).timeouts.idle;
    const bool sized = head.framing == http::Framing::length;
    std::string held;
    if (sized && head.content_length > limit)
        co_return co_await pass_through(claim, head, std::move(held), std::move(outcome));
    std::string_view whole;
    for (;;) {
        http::NetResult<std::string_view> piece = std::string_view();
        if (const auto ready = upstream_->body_now()) {
            piece = *ready;
        } else {
            piece = co_await upstream_->read_body(idle);
            read_clock();
        }
        if (!piece) co_return failed(claim, piece.error());
        if (sized && held.empty() && piece->size() == head.content_length) {
            whole = *piece;  // the usual case: all of it in one read, no copy
            break;
        }
        if (piece->empty()) {
            whole = held;
            break;
        }
        if (sized && held.empty()) held.reserve(static_cast<std::size_t>(head.content_length));
        held.append(*piece);
        if (held.size() > limit)
            co_return co_await pass_through(claim, head, std::move(held), std::move(outcome));
    }
    if (!served && !resident_.empty() && says_not_here(head.status, whole)) {
        pinned_.reset();
        if (tried_.size() < config().backends.size()) {
            upstream_->done();
            co_return failed(claim, std::move(outcome));
        }
    }
    if (served) {
        if (!resident_.empty()) upstreams_->snapshot->residence->learn(resident_, claim.backend());
        if (route_.op == api::Operation::responses || route_.op == api::Operation::other) {
            if (const auto made = id_in_json(whole); !made.empty())
                upstreams_->snapshot->residence->learn(made, claim.backend());
        }
        if (route_.op == api::Operation::responses) learn_sealed(whole, claim.backend());
        if (const auto usage = api::find_usage(whole)) note_usage(*usage, outcome);
    } else {
        outcome_ = "client_error";
    }
    served_by_ = claim.backend();
    claim.end(std::move(outcome));
    std::optional<std::uint64_t> length = whole.size();
    if (exchange_.request().method == "HEAD")
        length = parse_int<std::uint64_t>(head.fields.get("content-length"));
    start_answer(head, length);
    const std::span<const std::string_view> answer(&whole, 1);
    const bool sent = co_await exchange_.finish(answer);
    note_sent(true);
    if (!sent) outcome_ = "client_left";
    if (upstream_) upstream_->done();
    upstream_.reset();
    co_return Next::answered;
}

/// Too large to hold: from here on a break can only be shown as a break.
asio::awaitable<Request::Next> Request::pass_through(Claim& claim, const http::ResponseHead& head,
                                                     std::string held, routing::Outcome outcome) {
    served_by_ = claim.backend();
    const Duration idle = backend(claim.backend()).timeouts.idle;
    start_answer(head,
                 head.framing == http::Framing::length ? std::optional(head.content_length) : std::nullopt);
    std::string tail = held.substr(held.size() - std::min(held.size(), kTail));
    std::string_view piece = held;
    for (;;) {
        if (!piece.empty() && !co_await send({&piece, 1}, false)) {
            outcome_ = "client_left";
            outcome.kind = routing::OutcomeKind::cancelled;
            break;
        }
        const auto next = co_await upstream_->read_body(idle);
        if (!next) {
            exchange_.abort();
            outcome_ = over() ? (late_ ? "timeout" : "client_left") : "answer_cut";
            outcome.kind = over() ? routing::OutcomeKind::cancelled : routing::OutcomeKind::broken;
            break;
        }
        piece = *next;
        if (piece.empty()) {
            (void)co_await send({}, true);
            if (const auto usage = api::find_usage(tail)) note_usage(*usage, outcome);
            upstream_->done();
            break;
        }
        tail.append(piece);
        if (tail.size() > 2 * kTail) tail.erase(0, tail.size() - kTail);
    }
    upstream_.reset();
    read_clock();
    claim.end(std::move(outcome));
    co_return Next::answered;
}

}  // namespace spillway::gateway
