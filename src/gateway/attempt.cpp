// One attempt at one backend: the request as that backend wants it, and what its head says.
#include <fmt/format.h>

#include "api/hop_by_hop.hpp"
#include "base/name_set.hpp"
#include "gateway/request.hpp"
#include "gateway/stream_relay.hpp"

namespace spillway::gateway {

namespace {

routing::OutcomeKind kind_of(http::NetError::Kind kind) noexcept {
    using Kind = http::NetError::Kind;
    switch (kind) {
        case Kind::resolve:
        case Kind::connect:
        case Kind::tls:
            return routing::OutcomeKind::connect_error;
        case Kind::timeout:
            return routing::OutcomeKind::timeout;
        case Kind::cancelled:
            return routing::OutcomeKind::cancelled;
        default:
            return routing::OutcomeKind::broken;
    }
}

/// Fields of the client's that a backend must not see, or that the gateway writes itself.
bool is_replaced(std::string_view name) noexcept {
    static constexpr NameSet kWritten("host", "expect", "x-request-id", "content-length", "accept-encoding");
    return kWritten.has(name) || identity::is_credential_field(name);
}

bool is_event_stream(const http::ResponseHead& head) noexcept {
    return istarts_with(trim(head.fields.get("content-type")), "text/event-stream");
}

}  // namespace

void Request::cancel_upstream() noexcept {
    connecting_.cancel();
    if (pause_) pause_->cancel();
    if (upstream_) upstream_->cancel();
}

/// False when the backend has no usable credential.
bool Request::write_upstream_request(routing::BackendIndex to) {
    const auto& snapshot = *upstreams_->snapshot;
    const config::BackendConfig& b = backend(to);
    const http::RequestHead& head = exchange_.request();
    const auto kind =
        b.kind == config::BackendKind::openai ? api::TargetKind::openai : api::TargetKind::azure;
    const std::string_view upstream_name = config::resolve_deployment(b, deployment_);

    std::string& out = upstream_head_;
    out.assign(head.method).append(" ");
    api::append_target(out, kind, b.url.base_path, route_, upstream_name);
    out.append(" HTTP/1.1\r\n").append(snapshot.host_lines[to]);
    if (!snapshot.credentials[to]->append_auth_header(out, began_wall_)) return false;
    api::append_end_to_end(out, head.fields, [&](std::string_view name) {
        return is_replaced(name) || snapshot.clients.is_naming_field(name);
    });
    http::append_field(out, "x-request-id", id_);

    body_pieces_.clear();
    added_usage_ = false;
    if (scanned_) {
        const bool in_path = api::deployment_in_path(kind, b.url.base_path, route_);
        const std::string_view model =
            !in_path && upstream_name != model_in_body() ? upstream_name : std::string_view();
        const bool countable = route_.op == api::Operation::chat || route_.op == api::Operation::completions;
        added_usage_ = countable && scan_.stream && !scan_.include_usage && config().stream.include_usage;
        body_pieces_ = api::edited(exchange_.body(), scan_, model, added_usage_, edit_scratch_);
    } else if (!exchange_.body().empty()) {
        body_pieces_.push_back(exchange_.body());
    }
    const std::size_t size = api::total_size(body_pieces_);
    if (size > 0 || head.framing != http::Framing::none || head.method == "POST") {
        const auto digits = fmt::format_int(size);
        http::append_field(out, "content-length", {digits.data(), digits.size()});
    }
    out.append("\r\n");
    return true;
}

/// The raw text of the body's `model`, without quotes: equal to a name only if it needs no unescaping.
std::string_view Request::model_in_body() const noexcept {
    if (scan_.model_span.length < 2) return {};
    return exchange_.body().substr(scan_.model_span.offset + 1, scan_.model_span.length - 2);
}

asio::awaitable<http::NetResult<const http::ResponseHead*>> Request::send_and_read_head(
    routing::BackendIndex to) {
    http::Origin& origin = upstreams_->origins[to];
    const Duration timeout = backend(to).timeouts.first_byte;
    for (bool fresh = false;; fresh = true) {
        upstream_.reset();
        if (!fresh) upstream_ = origin.pooled();
        if (!upstream_) {
            auto connected = co_await origin.connect(true, connecting_);
            if (!connected) co_return connected.error();
            upstream_.emplace(std::move(*connected));
        }
        if (over()) co_return http::NetError{http::NetError::Kind::cancelled, "cancelled"};
        boost::container::small_vector<std::string_view, 10> pieces;
        pieces.push_back(upstream_head_);
        pieces.insert(pieces.end(), body_pieces_.begin(), body_pieces_.end());
        const std::span<std::string_view> to_send(pieces.data(), pieces.size());
        http::NetResult<void> sent;
        if (!upstream_->send_now(to_send)) sent = co_await upstream_->send(to_send, timeout);
        http::NetResult<const http::ResponseHead*> head = nullptr;
        if (sent)
            head = co_await upstream_->read_head(timeout, exchange_.request().method == "HEAD");
        else
            head = sent.error();
        // A pooled connection that the backend closed meanwhile says nothing of the backend.
        const bool stale = !head && head.error().kind == http::NetError::Kind::closed && upstream_->reused();
        if (!stale || fresh) co_return head;
    }
}

Request::Next Request::failed(Claim& claim, routing::Outcome outcome) {
    upstream_.reset();
    read_clock();
    claim.end(std::move(outcome));
    return Next::elsewhere;
}

Request::Next Request::failed(Claim& claim, const http::NetError& error) {
    return failed(claim, outcome_of(over() ? routing::OutcomeKind::cancelled : kind_of(error.kind)));
}

asio::awaitable<Request::Next> Request::attempt(const routing::Lease& lease) {
    Claim claim(*this, lease);
    if (!write_upstream_request(lease.backend)) {
        co_return failed(claim, outcome_of(routing::OutcomeKind::unauthorized));
    }
    const auto answer = co_await send_and_read_head(lease.backend);
    if (!answer) co_return failed(claim, answer.error());
    const http::ResponseHead& head = **answer;
    claim.first_byte();
    upstreams_->metrics.prefetch_client(upstreams_->snapshot->clients.index_of(*client_));
    for (const quota::Subject* subject : subjects_)
        subject->prefetch(now_);  // cold again since it was admitted

    routing::Outcome outcome;
    outcome.status = head.status;
    outcome.limits = api::read_rate_limits(head.fields);
    if (head.status == 401 || head.status == 429 || head.status >= 500) {
        outcome.kind = head.status == 429   ? routing::OutcomeKind::throttled
                       : head.status == 401 ? routing::OutcomeKind::unauthorized
                                            : routing::OutcomeKind::server_error;
        outcome.retry_after = api::retry_after(head.fields, wall_now());
        // A short refusal is read to its end, so that the connection can be used again.
        if (head.framing == http::Framing::none ||
            (head.framing == http::Framing::length && head.content_length <= 16 * 1024)) {
            for (;;) {
                const auto piece = co_await upstream_->read_body(std::chrono::seconds(1));
                if (!piece) break;
                if (!piece->empty()) continue;
                upstream_->done();
                break;
            }
        }
        co_return failed(claim, std::move(outcome));
    }
    outcome.kind = head.status >= 400 ? routing::OutcomeKind::client_error : routing::OutcomeKind::served;
    if (head.status < 300 && is_event_stream(head))
        co_return co_await relay_stream(claim, head, std::move(outcome));
    co_return co_await relay_plain(claim, head, std::move(outcome));
}

/// In a frame of its own, so that only streams pay for its size.
asio::awaitable<Request::Next> Request::relay_stream(Claim& claim, const http::ResponseHead& head,
                                                     routing::Outcome outcome) {
    StreamRelay relay(*this, claim, head, std::move(outcome));
    co_return co_await relay.run();
}

}  // namespace spillway::gateway
