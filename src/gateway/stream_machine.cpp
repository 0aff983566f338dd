#include "gateway/stream_machine.hpp"

#include <algorithm>

#include "api/error.hpp"
#include "base/strings.hpp"
#include "gateway/evidence.hpp"
#include "gateway/stream_words.hpp"

namespace spillway::gateway {
namespace {

bool ends_stream(const api::EventInfo& info) noexcept {
    return info.kind == api::EventKind::done || info.kind == api::EventKind::terminal ||
           info.kind == api::EventKind::error || !info.finish_reason.empty();
}

}  // namespace

StreamMachine::StreamMachine(const StreamRules& rules, const api::Dialect& dialect,
                             api::EventClassifier& classifier, SessionAffinity& learned,
                             routing::BackendIndex backend)
    : rules_(rules),
      splitter_(rules.max_event_bytes),
      dialect_(dialect),
      classifier_(classifier),
      learned_(learned),
      backend_(backend) {
    if (rules_.events == api::StreamEvents::opaque || !rules_.late_commit) commit();
}

StreamAction StreamMachine::feed(std::string_view chunk) {
    if (rules_.events == api::StreamEvents::opaque) {
        pieces_.push_back(chunk);
        note_tail(chunk);
        return StreamAction::proceed;
    }
    if (large_) chunk = pass_large(chunk);
    while (!chunk.empty()) {
        splitter_.feed(chunk);
        api::SseEvent event;
        while (splitter_.next(event))
            if (const auto action = on_event(event, chunk); action != StreamAction::proceed) return action;
        if (!splitter_.too_large()) break;
        // The begin of an event, maybe its end, and all that follows of this chunk.
        const std::string_view rest = own(splitter_.pending());
        splitter_.reset();
        begin_large(rest);
        chunk = pass_large(rest);
    }
    return StreamAction::proceed;
}

/// Passes the rest of an event that is too large to be understood; what follows it is returned.
std::string_view StreamMachine::pass_large(std::string_view chunk) {
    std::size_t at = 0;
    for (; at < chunk.size() && newlines_ < 2; ++at) {
        if (chunk[at] == '\n')
            ++newlines_;
        else if (chunk[at] != '\r')
            newlines_ = 0;
    }
    if (at > 0) pieces_.push_back(chunk.substr(0, at));
    if (complete_) note_tail(chunk.substr(0, at));
    large_ = newlines_ < 2;
    if (!large_ && complete_)
        if (const auto usage = api::usage_at_end(tail_)) result_.usage = usage;
    return chunk.substr(at);
}

void StreamMachine::note_tail(std::string_view piece) {
    constexpr std::size_t most = 4096;
    tail_.append(piece.substr(piece.size() - std::min(piece.size(), most)));
    if (tail_.size() > 2 * most) tail_.erase(0, tail_.size() - most);
}

/// A response that ends with pictures in it is large, and ends the stream all the same.
void StreamMachine::begin_large(std::string_view event) {
    constexpr std::size_t head = 512;
    const std::string_view text = event.substr(0, head);
    const auto says = [text](std::string_view what) { return text.find(what) != std::string_view::npos; };
    if (says("response.completed") || says("response.incomplete")) {
        complete_ = true;
        finished_ = rules_.answers;
    }
    if (!committed_) commit();
    ++result_.output_events;
    large_ = true;
    newlines_ = 0;
}

/// A copy that holds until sent().
std::string_view StreamMachine::own(std::string_view text) {
    return owned_.emplace_back(text);
}

/// Decides about one event: hold it, hide it, pass it on, or give up.
StreamAction StreamMachine::on_event(const api::SseEvent& event, std::string_view chunk) {
    if (rules_.sealed_reasoning && event.event == "response.output_item.done")
        learned_.learn_sealed(event.data, backend_);
    const bool keep_alive = api::EventClassifier::is_keep_alive(event);
    if (keep_alive && !committed_) {
        if (!alive_) alive_.emplace();
        if (rules_.pass_keep_alives && !event.has_data) {
            if (alive_->size() + event.raw.size() <= rules_.max_preamble_bytes) alive_->append(event.raw);
            return StreamAction::proceed;
        }
    }
    if (committed_ && !api::EventClassifier::may_matter(event.event, event.data)) {
        if (event.has_data) {
            if (!keep_alive) ++result_.output_events;
            ++sequence_;
        }
        pass(event.raw, chunk);
        return StreamAction::proceed;
    }
    api::EventInfo info = dialect_.classify(classifier_, event);
    if (keep_alive) info.kind = api::EventKind::preamble;
    if (info.sequence_number >= 0) sequence_ = info.sequence_number;
    if (info.has_usage) result_.usage = info.usage;
    StreamAction next = StreamAction::proceed;
    switch (info.kind) {
        case api::EventKind::preamble:
            if (!committed_ && held_.size() + event.raw.size() <= rules_.max_preamble_bytes) {
                held_.append(event.raw);
                return StreamAction::proceed;
            }
            break;
        case api::EventKind::output:
            ++result_.output_events;
            finished_ += info.finished;
            if (!info.finish_reason.empty() && !info.responses_api) complete_ = true;
            break;
        case api::EventKind::usage_only:
            if (rules_.hide_usage) return StreamAction::proceed;
            break;
        case api::EventKind::error:
            next = on_error(info);
            if (next == StreamAction::retry) return next;
            break;
        case api::EventKind::done:
        case api::EventKind::terminal:
            complete_ = true;
            finished_ = rules_.answers;
            break;
    }
    if (!committed_) commit();
    pass(event.raw, chunk);
    return next;
}

StreamAction StreamMachine::on_error(const api::EventInfo& info) {
    if (!committed_ && rules_.hide_usage &&
        refuses_stream_options(400, std::string(info.error_message).append(" ").append(info.error_param))) {
        result_.refused_options = true;
        return StreamAction::retry;
    }
    result_.verdict = routing::blame(evidence_of_event(info, committed_), rules_.facts);
    if (result_.verdict.elsewhere && !committed_) {
        error_ = api::error_json(info.error_message, info.error_type, info.error_code, info.error_param);
        return StreamAction::retry;
    }
    // Passed as it is, once; what is the client's own mistake is tried nowhere else.
    result_.ending =
        result_.verdict.whose == routing::Whose::client ? Ending::client_error : Ending::stream_error;
    return StreamAction::finish;
}

/// An error object is all that came, and no event: nobody who reads events would see it.
StreamAction StreamMachine::on_bare_error(const api::ApiError& error) {
    api::EventInfo info;
    info.error_code = error.code.empty() ? error.type : error.code;
    info.error_type = error.type;
    info.error_param = error.param;
    info.error_message = error.message;
    info.content_filter = error.content_filter;
    const StreamAction next = on_error(info);
    if (next == StreamAction::retry) return next;
    held_ = data_event(trim(held_));
    commit();
    return next;
}

/// Adds an event to what goes down. Bytes of this chunk are viewed; an event carried over from an earlier
/// one (the first of a chunk at most) is copied, since the splitter's buffer changes.
void StreamMachine::pass(std::string_view raw, std::string_view chunk) {
    const bool in_chunk =
        raw.data() >= chunk.data() && raw.data() + raw.size() <= chunk.data() + chunk.size();
    if (!in_chunk) {
        pieces_.push_back(pieces_.empty() ? std::string_view(carry_.assign(raw)) : own(raw));
        return;
    }
    if (!pieces_.empty() && pieces_.back().data() + pieces_.back().size() == raw.data())
        pieces_.back() = {pieces_.back().data(), pieces_.back().size() + raw.size()};
    else
        pieces_.push_back(raw);
}

void StreamMachine::commit() {
    committed_ = true;
    if (const auto comments = said_alive(); comments && !comments->empty()) pieces_.push_back(own(*comments));
    if (!held_.empty()) pieces_.push_back(held_);
}

StreamAction StreamMachine::end() {
    if (rules_.events == api::StreamEvents::opaque) {
        if (const auto usage = api::usage_at_end(tail_)) result_.usage = usage;
        return StreamAction::finish;
    }
    std::string_view last = splitter_.pending();
    if (!last.empty()) {
        last = own(last);
        if (const auto next = end_of_line(last); next != StreamAction::proceed) return next;
    }
    if (complete_) return StreamAction::finish;
    if (!committed_) {
        held_.append(last);
        if (const auto error = api::parse_error(trim(held_))) return on_bare_error(*error);
    }
    return fail("The backend ended the stream before it was complete.", "stream_cut", Ending::stream_cut,
                routing::Came::cut);
}

/// Some servers leave out the blank line behind the last event.
StreamAction StreamMachine::end_of_line(std::string_view last) {
    if (complete_) {
        pieces_.push_back(last);
        return StreamAction::proceed;
    }
    api::SseSplitter whole;
    whole.feed(own(std::string(last) + "\n\n"));
    api::SseEvent event;
    if (!whole.next(event) || !ends_stream(dialect_.classify(classifier_, event)))
        return StreamAction::proceed;
    event.raw = last;
    return on_event(event, last);
}

StreamAction StreamMachine::broke(Break why) {
    if (why == Break::client_left) {
        client_left();
        return StreamAction::finish;
    }
    // Only the transfer's end is missing.
    if (complete_ && finished_ >= rules_.answers) return StreamAction::finish;
    switch (why) {
        case Break::late:
            return fail("The request took too long.", "timeout", Ending::timeout, routing::Came::timed_out);
        case Break::silence:
            return fail("The backend stopped sending.", "timeout", Ending::timeout, routing::Came::timed_out);
        case Break::shutdown:
            return fail("The gateway was shut down before the answer was complete.", "shutting_down",
                        Ending::shutdown, routing::Came::client_left);
        default:
            return fail("The backend's stream was cut.", "stream_cut", Ending::stream_cut,
                        routing::Came::cut);
    }
}

void StreamMachine::client_left() noexcept {
    result_.ending = Ending::client_left;
    result_.verdict = routing::blame({.came = routing::Came::client_left}, rules_.facts);
}

/// Before the commit: elsewhere. After it: an error event as the last thing the client reads.
StreamAction StreamMachine::fail(std::string_view message, std::string_view code, Ending ending,
                                 routing::Came came) {
    result_.verdict = routing::blame({.came = came, .status = 200, .output_sent = committed_}, rules_.facts);
    if (!committed_) return StreamAction::retry;
    result_.ending = ending;
    if (rules_.events == api::StreamEvents::opaque) return StreamAction::finish;
    pieces_.push_back(own(rules_.events == api::StreamEvents::typed
                              ? api::sse_error_responses(message, code, sequence_ + 1)
                              : api::sse_error_chat(message, "server_error", code)));
    return StreamAction::finish;
}

}  // namespace spillway::gateway
