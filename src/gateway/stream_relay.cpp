#include "gateway/stream_relay.hpp"

#include "api/error.hpp"
#include "api/stream_event.hpp"
#include "base/prefetch.hpp"

namespace spillway::gateway {

namespace {

bool is_throttle(std::string_view code) noexcept {
    return code == "429" || code.find("rate_limit") != std::string_view::npos ||
           code.find("quota") != std::string_view::npos || code.find("too_many") != std::string_view::npos ||
           code == "RateLimitReached";
}

}  // namespace

StreamRelay::StreamRelay(Request& request, Request::Claim& claim, const http::ResponseHead& head,
                         routing::Outcome outcome)
    : request_(request),
      claim_(claim),
      head_(head),
      outcome_(std::move(outcome)),
      responses_(request.route_.op == api::Operation::responses),
      transparent_(request.route_.op == api::Operation::other),
      to_write_(request.exchange_.memory_to_write()) {
    if (transparent_ || !request.config().stream.late_commit) commit();
}

asio::awaitable<Request::Next> StreamRelay::run() {
    const Duration idle = request_.backend(claim_.backend()).timeouts.idle;
    for (;;) {
        const auto ended = co_await request_.upstream_->pour(*this, idle);
        if (!ended) co_return co_await upstream_broke(ended.error());
        if (*ended) co_return co_await upstream_ended();
        if (splitter_.too_large())
            co_return co_await end_with_error("The backend sent an event that is too large.",
                                              "event_too_large", routing::OutcomeKind::broken);
        if (retry_) co_return request_.failed(claim_, std::move(outcome_));
        const bool sent = co_await flush();
        if (!sent) co_return client_left();
        if (failed_) {
            (void)co_await request_.send({}, true);
            co_return close(false);
        }
    }
}

bool StreamRelay::take(std::string_view chunk) {
    if (transparent_) {
        pieces_.push_back(chunk);
    } else {
        splitter_.feed(chunk);
        api::SseEvent event;
        while (!retry_ && !failed_ && splitter_.next(event)) take(event, chunk);
        if (retry_ || splitter_.too_large()) return false;
    }
    return pass_on() && !failed_;
}

void StreamRelay::prefetch() const noexcept {
    prefetch_for_write(this, this + 1);
    prefetch_for_write(&request_.output_events_);
    prefetch_for_write(to_write_.data(), to_write_.data() + to_write_.size());
}

/// Did all that is to be sent go out, as far as that can be told at once?
bool StreamRelay::pass_on() {
    if (pieces_.empty()) {
        sent_ = true;
        return true;
    }
    sent_ = request_.send_now({pieces_.data(), pieces_.size()});
    if (sent_ != true) return false;
    pieces_.clear();
    return true;
}

/// Decides about one event: hold it, hide it, pass it on, or give up.
void StreamRelay::take(const api::SseEvent& event, std::string_view chunk) {
    if (responses_ && event.event == "response.output_item.done")
        request_.learn_sealed(event.data, claim_.backend());
    if (committed_ && !api::EventClassifier::may_matter(event.event, event.data)) {
        if (event.has_data) {
            ++request_.output_events_;
            ++sequence_;
        }
        pass(event.raw, chunk);
        return;
    }
    const api::EventInfo info = request_.worker_.classifier.classify(event);
    if (info.sequence_number >= 0) sequence_ = info.sequence_number;
    if (info.has_usage) request_.note_usage(info.usage, outcome_);
    switch (info.kind) {
        case api::EventKind::preamble:
            if (!committed_ &&
                held_.size() + event.raw.size() <= request_.config().stream.max_preamble_bytes) {
                held_.append(event.raw);
                return;
            }
            break;
        case api::EventKind::output:
            ++request_.output_events_;
            break;
        case api::EventKind::usage_only:
            if (request_.added_usage_) return;
            break;
        case api::EventKind::error:
            take_error(info);
            break;
        case api::EventKind::done:
        case api::EventKind::terminal:
            complete_ = true;
            break;
    }
    if (retry_) return;
    if (!committed_) commit();
    pass(event.raw, chunk);
}

void StreamRelay::take_error(const api::EventInfo& info) {
    if (info.error_code == "content_filter") {  // the client's affair: never elsewhere
        outcome_.kind = routing::OutcomeKind::client_error;
        request_.outcome_ = "client_error";
        failed_ = true;
        return;
    }
    const bool throttle = is_throttle(info.error_code);
    outcome_.kind = throttle ? routing::OutcomeKind::throttled : routing::OutcomeKind::server_error;
    outcome_.status = throttle ? 429 : 500;
    if (committed_) {
        request_.outcome_ = "stream_error";
        failed_ = true;
    } else {
        retry_ = true;
    }
}

/// Adds an event to what goes down. Bytes of this chunk are viewed; an event carried over from an earlier
/// one (the first of a chunk at most) is copied, since the splitter's buffer changes.
void StreamRelay::pass(std::string_view raw, std::string_view chunk) {
    const bool in_chunk =
        raw.data() >= chunk.data() && raw.data() + raw.size() <= chunk.data() + chunk.size();
    if (!in_chunk) {
        carry_.assign(raw);
        pieces_.push_back(carry_);
        return;
    }
    if (!pieces_.empty() && pieces_.back().data() + pieces_.back().size() == raw.data())
        pieces_.back() = {pieces_.back().data(), pieces_.back().size() + raw.size()};
    else
        pieces_.push_back(raw);
}

void StreamRelay::commit() {
    committed_ = true;
    request_.read_clock();
    request_.served_by_ = claim_.backend();
    claim_.began(outcome_.limits);
    request_.start_answer(head_, std::nullopt);
    auto& residence = *request_.upstreams_->snapshot->residence;
    if (!request_.resident_.empty()) residence.learn(request_.resident_, claim_.backend());
    if (responses_)
        if (const auto made = id_in_json(held_); !made.empty()) residence.learn(made, claim_.backend());
    if (!held_.empty()) pieces_.push_back(held_);
}

/// Waits for the rest of what pass_on() began.
asio::awaitable<bool> StreamRelay::flush() {
    if (!sent_) {
        sent_ = co_await request_.exchange_.flush();
        request_.note_sent(false);
    }
    pieces_.clear();
    co_return *sent_;
}

asio::awaitable<Request::Next> StreamRelay::upstream_ended() {
    if (!complete_ && !transparent_) {
        co_return co_await end_with_error("The backend ended the stream before it was complete.",
                                          "stream_cut", routing::OutcomeKind::broken);
    }
    const bool sent = co_await request_.send({}, true);
    co_return sent ? close(true) : client_left();
}

asio::awaitable<Request::Next> StreamRelay::upstream_broke(const http::NetError& error) {
    if (request_.exchange_.client_gone())
        co_return committed_ ? client_left() : request_.failed(claim_, error);
    if (!committed_) co_return request_.failed(claim_, error);
    if (complete_) {  // all that matters came; only the transfer's end is missing
        (void)co_await request_.send({}, true);
        co_return close(false);
    }
    if (request_.late_)
        co_return co_await end_with_error("The request took too long.", "timeout",
                                          routing::OutcomeKind::timeout);
    if (error.kind == http::NetError::Kind::timeout)
        co_return co_await end_with_error("The backend stopped sending.", "timeout",
                                          routing::OutcomeKind::timeout);
    co_return co_await end_with_error("The backend's stream was cut.", "stream_cut",
                                      routing::OutcomeKind::broken);
}

/// Before the commit: elsewhere. After it: an error event as the last thing the client reads.
asio::awaitable<Request::Next> StreamRelay::end_with_error(std::string_view message, std::string_view code,
                                                           routing::OutcomeKind kind) {
    outcome_.kind = kind;
    if (!committed_) co_return request_.failed(claim_, std::move(outcome_));
    request_.outcome_ = code;
    const std::string event = responses_ ? api::sse_error_responses(message, code, sequence_ + 1)
                                         : api::sse_error_chat(message, "server_error", code);
    pieces_.push_back(event);
    const bool sent = co_await request_.send({pieces_.data(), pieces_.size()}, true);
    co_return sent ? close(false) : client_left();
}

Request::Next StreamRelay::client_left() {
    request_.outcome_ = "client_left";
    outcome_.kind = routing::OutcomeKind::cancelled;
    return close(false);
}

Request::Next StreamRelay::close(bool reuse) {
    if (reuse && request_.upstream_) request_.upstream_->done();
    request_.upstream_.reset();
    request_.read_clock();
    claim_.end(std::move(outcome_));
    return Request::Next::answered;
}

}  // namespace spillway::gateway
