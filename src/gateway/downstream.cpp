#include "gateway/downstream.hpp"

#include <utility>

#include "gateway/answer_head.hpp"
#include "gateway/intake.hpp"
#include "gateway/location.hpp"
#include "gateway/stream_words.hpp"

namespace spillway::gateway {

void Downstream::begin_heartbeats() {
    TimerWheel::of(exchange_.loop()).arm(heartbeat_, config_.stream.heartbeat);
}

void Downstream::show_alive(std::string comments) {
    if (!heartbeat_.armed() || heartbeat_pending_) return;
    comments_ = std::move(comments);
    beat(comments_);
}

void Downstream::beat(std::string_view comment) {
    if (comment.empty()) comment = kHeartbeat;
    if (exchange_.client_gone()) return;
    if (!head_sent_) {
        std::string* const fields = exchange_.start(200, std::nullopt);
        if (fields == nullptr) return;
        head_sent_ = true;
        fields->append(exchange_.date_line());
        fields->append("content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n");
        append_fields(*fields);
    }
    if (!heartbeat_pending_) heartbeat_pending_ = !exchange_.write_now({&comment, 1});
    begin_heartbeats();
}

/// Nothing else may be written until a heartbeat is out.
Task<bool> Downstream::flush_heartbeat() {
    bool sent = true;
    if (heartbeat_pending_) sent = co_await exchange_.flush();
    heartbeat_pending_ = false;
    co_return sent;
}

void Downstream::start(const http::ResponseHead& head, std::optional<std::uint64_t> length) {
    heartbeat_.disarm();
    if (head_sent_) {
        report_.status = 200;
        return;
    }
    report_.status = static_cast<int>(head.status);
    std::string* const fields = exchange_.start(head.status, length);
    if (fields == nullptr) return;
    if (!head.fields.has("date")) fields->append(exchange_.date_line());
    const bool has_locations = append_answer_fields(*fields, head, has_own_terms(subjects_));
    if (has_locations && report_.served_by)
        append_location_fields(*fields, head, config_.backends[*report_.served_by].url,
                               own_address(exchange_.request(), config_.tls.has_value()));
    append_fields(*fields);
}

void Downstream::append_fields(std::string& out) const {
    const std::string_view backend =
        report_.served_by ? std::string_view(config_.backends[*report_.served_by].name) : std::string_view();
    append_report_fields(out, report_, asked_.id, backend, subjects_, clock_.now());
    if (!config_.cors.empty())
        out.append(cors_fields(exchange_.request().fields.get("origin"), config_.cors));
}

Task<bool> Downstream::send(std::span<const std::string_view> pieces, bool last) {
    bool sent = true;
    if (heartbeat_pending_) sent = co_await flush_heartbeat();
    if (sent && last)
        sent = co_await exchange_.finish(pieces);
    else if (sent)
        sent = co_await exchange_.write(pieces);
    note_sent(last);
    co_return sent;
}

std::optional<bool> Downstream::send_now(std::span<const std::string_view> pieces) {
    if (heartbeat_pending_) {
        held_ = pieces;
        return std::nullopt;
    }
    const auto sent = exchange_.write_now(pieces);
    if (sent) note_sent(false);
    return sent;
}

Task<bool> Downstream::flush() {
    bool sent = true;
    if (heartbeat_pending_) {
        sent = co_await flush_heartbeat();
        if (sent) sent = co_await exchange_.write(held_);
    } else {
        sent = co_await exchange_.flush();
    }
    note_sent(false);
    co_return sent;
}

void Downstream::note_sent(bool last) noexcept {
    if (began_) return;
    began_ = true;
    clock_.read();
    report_.first_byte = clock_.elapsed();
    report_.sent_at_once = last;
}

Task<void> Downstream::answer(std::string_view json) {
    if (std::string* const fields = exchange_.start(200, json.size())) {
        fields->append(exchange_.date_line());
        fields->append("content-type: application/json\r\n");
        append_fields(*fields);
    }
    (void)co_await send({&json, 1}, true);
}

Task<void> Downstream::refuse(const Refusal& why) {
    heartbeat_.disarm();
    report_.status = static_cast<int>(why.status);
    std::string body;
    if (head_sent_) {
        body = refusal_event(why, asked_.operation().events);
    } else {
        body = refusal_body(why);
        if (std::string* const fields = exchange_.start(why.status, body.size())) {
            fields->append(exchange_.date_line());
            append_refusal_fields(*fields, why);
            append_fields(*fields);
        }
    }
    const std::string_view piece = body;
    (void)co_await send({&piece, 1}, true);
}

}  // namespace spillway::gateway
