#include "gateway/attempt.hpp"

#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "base/strings.hpp"
#include "gateway/answer_head.hpp"
#include "gateway/evidence.hpp"
#include "gateway/key_ring.hpp"
#include "gateway/plain_relay.hpp"
#include "gateway/stream_relay.hpp"

namespace spillway::gateway {
namespace {

/// A backend without a token is looked at again so soon.
constexpr Duration kTokenPause = std::chrono::seconds(1);
/// How long a refused request waits for a new token, and how often it looks.
constexpr Duration kRenewalWait = std::chrono::seconds(10);
constexpr Duration kRenewalLook = std::chrono::milliseconds(10);

}  // namespace

std::uint64_t RequestParts::fingerprint() const noexcept {
    constexpr std::size_t most = 4096;
    const std::string_view body = exchange.body();
    const std::hash<std::string_view> hash;
    std::uint64_t out = hash(body.substr(0, most)) * 0x9e3779b97f4a7c15U + body.size();
    if (body.size() > most) out ^= hash(body.substr(body.size() - most)) << 1U;
    return out ^ reinterpret_cast<std::uintptr_t>(identity_of(*asked.client)) ^ hash(asked.route.tail);
}

Attempt::Attempt(RequestParts& parts, const routing::Lease& lease)
    : parts_(parts),
      lease_(lease),
      began_at_(parts.clock.mono()),
      upstream_(&parts.upstream),
      timeouts_(config::timeouts_for(config(), parts.asked.deployment)) {
    const Duration whole = parts.config().limits.request_timeout;
    const bool of_its_own = timeouts_.first_token > config().timeouts.first_token;
    timeouts_.first_token = parts.upstreams.snapshot->thinking->limit(
        parts.asked.deployment_ref.index, parts.asked.estimate.prompt, timeouts_.first_token);
    // What a deployment may think longer than others, its requests may take longer.
    if (of_its_own && timeouts_.first_token > whole)
        TimerWheel::of(parts.exchange.loop()).arm(parts.deadline, timeouts_.first_token);
}

Attempt::~Attempt() {
    upstream_->close();
    if (reported_) return;
    parts_.clock.read();
    report(routing::outcome_of(routing::blame({.came = routing::Came::client_left}, {})));
}

void Attempt::cancel() noexcept {
    pause_.cancel();
    upstream_->give_up();
}

Task<bool> Attempt::credential_renewed(std::uint64_t refused) {
    const identity::CredentialSource& source = credential();
    const Mono end = mono_now() + kRenewalWait;
    while (source.generation() == refused && source.renewing() && !parts_.over() && mono_now() < end)
        co_await pause_.wait(parts_.exchange.loop(), kRenewalLook);
    co_return source.generation() != refused && !parts_.over();
}

bool Attempt::write_request() {
    const Snapshot& snapshot = *parts_.upstreams.snapshot;
    const UpstreamTarget to{.backend = config(),
                            .host_line = snapshot.host_lines[backend()],
                            .absolute = snapshot.absolute_prefixes[backend()],
                            .credential = *snapshot.credentials[backend()],
                            .clients = snapshot.clients,
                            .ask_usage = may_add_stream_options()};
    return parts_.upstream_request.write(parts_.asked, parts_.exchange.request(), parts_.exchange.body(), to,
                                         parts_.clock.began());
}

bool Attempt::may_add_stream_options() const noexcept {
    return !without_options_ && parts_.config().stream.include_usage &&
           !parts_.upstreams.snapshot->no_stream_options->has(backend(), lease_.deployment);
}

Duration Attempt::time_left() const noexcept {
    return std::max<Duration>(std::chrono::milliseconds(1), timeouts_.first_token - (mono_now() - began_at_));
}

Task<http::NetResult<const http::ResponseHead*>> Attempt::send_and_read_head() {
    const Duration timeout = time_left();
    for (bool fresh = false;; fresh = true) {
        upstream_->close();
        if (fresh || !upstream_->open_pooled(backend())) {
            const auto opened = co_await upstream_->open_new(backend());
            if (!opened) co_return opened.error();
        }
        if (parts_.over()) co_return http::NetError{http::NetError::Kind::cancelled, "cancelled"};
        const api::BodyPieces& body = parts_.upstream_request.body();
        boost::container::small_vector<std::string_view, 10> pieces;
        pieces.push_back(parts_.upstream_request.head());
        pieces.insert(pieces.end(), body.begin(), body.end());
        const std::span<std::string_view> to_send(pieces.data(), pieces.size());
        http::NetResult<void> sent;
        if (!upstream_->send_now(to_send)) sent = co_await upstream_->send(to_send, timeout);
        http::NetResult<const http::ResponseHead*> head = nullptr;
        if (sent)
            head = co_await upstream_->read_head(timeout, parts_.exchange.request().method == "HEAD");
        else
            head = sent.error();
        // A pooled connection that the backend closed meanwhile says nothing of the backend.
        const bool stale = !head && head.error().kind == http::NetError::Kind::closed && upstream_->reused();
        if (!stale || fresh) co_return head;
    }
}

Task<AttemptEnd> Attempt::run() {
    const std::uint64_t shown = credential().generation();
    for (bool renewed = false;;) {
        if (!write_request()) {
            routing::Outcome none = judge({.came = routing::Came::no_credential}, nullptr);
            none.retry_after = kTokenPause;
            co_return failed(std::move(none));
        }
        const auto answer = co_await send_and_read_head();
        if (!answer) co_return failed(answer.error());
        const http::ResponseHead& head = **answer;
        parts_.clock.read();
        first_byte_ = parts_.clock.mono() - began_at_;
        if (is_from_proxy(head)) {
            routing::Outcome none = judge({.came = routing::Came::no_proxy}, nullptr);
            none.detail = "the proxy answered " + std::to_string(head.status);
            co_return failed(std::move(none));
        }
        // A token that is refused is exchanged for a new one, once, before the backend is blamed.
        if (head.status == 401 && !renewed && credential().renew(shown)) {
            renewed = true;
            co_await drain_short_answer(head);
            if (co_await credential_renewed(shown)) continue;
            co_return failed(judge({.status = 401}, nullptr));
        }
        const AttemptEnd end = co_await relay(head);
        if (end != AttemptEnd::failed || reported_) co_return end;
        // Once more, without what was added to the request.
        without_options_ = true;
        parts_.upstreams.snapshot->no_stream_options->learn(backend(), lease_.deployment);
    }
}

/// A short refusal is read to its end, so that the connection can be used again.
Task<void> Attempt::drain_short_answer(const http::ResponseHead& head) {
    constexpr std::uint64_t most = 16 * 1024;
    if (head.framing != http::Framing::none &&
        (head.framing != http::Framing::length || head.content_length > most))
        co_return;
    for (;;) {
        const auto piece = co_await upstream_->read_body(std::chrono::seconds(1));
        if (!piece) co_return;
        if (!piece->empty()) continue;
        upstream_->done();
        co_return;
    }
}

/// AttemptEnd::failed without a report: the request has to be sent again without stream_options.
Task<AttemptEnd> Attempt::relay(const http::ResponseHead& head) {
    if (head.status >= 300) return relay_plain(*this, head);
    if (is_event_stream(head)) return relay_stream(*this, head);
    if (!parts_.asked.scan.stream) return relay_plain(*this, head);
    return is_json(head) || is_json_lines(head) ? relay_what_begins(head) : relay_stream(*this, head);
}

/// A stream was asked for, and the answer calls itself JSON. Some servers do that with their event streams.
Task<AttemptEnd> Attempt::relay_what_begins(const http::ResponseHead& head) {
    const auto piece = co_await upstream_->read_body(time_left());
    parts_.clock.read();
    if (!piece) co_return failed(piece.error());
    std::string begin(*piece);
    if (begins_event_stream(begin)) co_return co_await relay_stream(*this, head, std::move(begin));
    co_return co_await relay_plain(*this, head, std::move(begin));
}

routing::Outcome Attempt::judge(routing::Evidence evidence, const http::ResponseHead* head) const {
    routing::Outcome out;
    const api::Dialect& dialect = api::dialect(config().kind);
    if (head != nullptr) {
        out.limits = dialect.limits(head->fields);
        if (head->status >= 400) out.retry_after = dialect.wait_of(head->fields, wall_now());
    }
    if (evidence.status == 429) {
        evidence.charge = parts_.asked.estimate.charge;
        evidence.whole_quota = parts_.upstreams.snapshot->router->whole_quota(lease_, out.limits);
    }
    out.verdict = routing::blame(evidence, facts_of(parts_.asked));
    out.kind = routing::kind_of(*out.verdict);
    out.status = evidence.status;
    return out;
}

routing::Came Attempt::came_of(const http::NetError& error) const noexcept {
    using Kind = http::NetError::Kind;
    if (parts_.exchange.client_gone() || parts_.worker.ending()) return routing::Came::client_left;
    if (parts_.late) return routing::Came::timed_out;
    switch (error.kind) {
        case Kind::resolve:
        case Kind::connect:
        case Kind::tls:
            return routing::Came::no_connection;
        case Kind::proxy:
            return routing::Came::no_proxy;
        case Kind::timeout:
            return upstream_->is_open() ? routing::Came::timed_out : routing::Came::no_connection;
        case Kind::protocol:
            return routing::Came::malformed;
        case Kind::local:
            return routing::Came::local_limit;
        case Kind::cancelled:
            return routing::Came::client_left;
        case Kind::closed:
            break;
    }
    return routing::Came::cut;
}

std::string Attempt::without_credential(std::string_view text) const {
    std::string out(text);
    std::string line;
    if (!credential().append_auth_header(line, wall_now())) return out;
    std::string_view key = trim(std::string_view(line).substr(line.find(':') + 1));
    if (istarts_with(key, "bearer ")) key = trim(key.substr(7));
    constexpr std::size_t least = 8;
    if (key.size() < least) return out;
    for (std::size_t at = out.find(key); at != std::string::npos; at = out.find(key, at))
        out.replace(at, key.size(), "***");
    return out;
}

void Attempt::output_begins() noexcept {
    if (!parts_.asked.operation().writes_text) return;
    const Snapshot& snapshot = *parts_.upstreams.snapshot;
    const Mono now = parts_.clock.mono();
    const std::uint64_t prompt = parts_.asked.estimate.prompt;
    snapshot.thinking->seen(parts_.asked.deployment_ref.index, prompt, now - began_at_);
    // Without a stream, the first output is the last.
    if (parts_.asked.scan.stream) snapshot.router->first_token(lease_, prompt, now - began_at_, now);
}

/// A proxy that reads requests answers in the backend's place (RFC 9110 §15.5.8; RFC 9209).
bool Attempt::is_from_proxy(const http::ResponseHead& head) const noexcept {
    if (!config().proxy || config().url.tls || head.status < 400) return false;
    return head.status == 407 || !head.fields.get("x-squid-error").empty() ||
           head.fields.get("proxy-status").find("error=") != std::string_view::npos;
}

void Attempt::serves(const api::RateLimits& limits) {
    const Snapshot& snapshot = *parts_.upstreams.snapshot;
    const Asked& asked = parts_.asked;
    if (const auto charged = snapshot.router->began(lease_, limits, parts_.clock.mono()))
        snapshot.estimators->of(asked.deployment_ref.index).charged(asked.shape, *charged);
}

void Attempt::report(routing::Outcome outcome) {
    reported_ = true;
    const Mono now = parts_.clock.mono();
    outcome.first_byte = first_byte_;
    if (outcome.judged().reason == routing::Reason::timeout && !parts_.report.served_by) output_begins();
    if (outcome.judged().whose != routing::Whose::nobody) lease_.fingerprint = parts_.fingerprint();
    parts_.upstreams.snapshot->router->ended(lease_, outcome, now, &parts_.history);
    Metrics& metrics = parts_.upstreams.metrics;
    const std::string& name = config().name;
    metrics.attempt(name, lease_.backend, outcome.kind);
    if (first_byte_ > Duration::zero()) metrics.first_byte(name, lease_.backend, first_byte_);
    parts_.report.tried.push_back({.backend = lease_.backend,
                                   .status = outcome.status,
                                   .kind = outcome.kind,
                                   .verdict = outcome.judged(),
                                   .took = now - began_at_,
                                   .detail = std::move(outcome.detail)});
}

AttemptEnd Attempt::release(bool reuse) {
    if (reuse) upstream_->done();
    upstream_->close();
    return AttemptEnd::answered;
}

AttemptEnd Attempt::failed(routing::Outcome outcome) {
    upstream_->close();
    parts_.clock.read();
    report(std::move(outcome));
    return AttemptEnd::failed;
}

AttemptEnd Attempt::failed(const http::NetError& error) {
    if (error.kind == http::NetError::Kind::local) parts_.worker.shortage().note(parts_.clock.mono());
    routing::Outcome outcome = judge({.came = came_of(error)}, nullptr);
    outcome.detail = error.message;
    return failed(std::move(outcome));
}

}  // namespace spillway::gateway
