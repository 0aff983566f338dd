// What a handler sees of a request and its answer.
#include "base/task.hpp"
#include "http/date_line.hpp"
#include "http/responder.hpp"

namespace spillway::http {

const RequestHead& Exchange::request() const noexcept {
    return responder_.head_;
}
std::string_view Exchange::body() const noexcept {
    return responder_.body_;
}
bool Exchange::body_due() const noexcept {
    return responder_.body_due_;
}
Task<BodyFault> Exchange::read_body() {
    return responder_.read_body();
}
std::string_view Exchange::date_line() const {
    return responder_.loop_.tool<DateLine>().text(wall_now());
}
std::string_view Exchange::peer() const noexcept {
    return responder_.peer_;
}
PeerCertificate* Exchange::peer_certificate() const noexcept {
    return responder_.certificate_;
}
void Exchange::end_connection() {
    responder_.end_connection();
}
Mono Exchange::received_at() const noexcept {
    return responder_.received_at_;
}
Loop& Exchange::loop() const noexcept {
    return responder_.loop_;
}
bool Exchange::started() const noexcept {
    return responder_.started_;
}
bool Exchange::client_gone() const noexcept {
    return responder_.gone_;
}
std::uint64_t Exchange::bytes_sent() const noexcept {
    return responder_.sent_;
}
std::span<const std::byte> Exchange::place_of_writing() const noexcept {
    return responder_.writing_;
}

Task<bool> Exchange::respond(unsigned status, std::span<const Field> extra, std::string_view body) {
    std::string* head = start(status, body.size());
    if (head == nullptr) co_return false;
    head->append(date_line());
    for (const Field& f : extra) append_field(*head, f.name, f.value);
    co_return co_await responder_.write_pieces(std::span(&body, 1), true);
}

void Exchange::start(unsigned status, std::string_view fields, std::optional<std::uint64_t> content_length) {
    if (std::string* head = start(status, content_length)) head->append(fields);
}
std::string* Exchange::start(unsigned status, std::optional<std::uint64_t> content_length) {
    if (responder_.started_) return nullptr;
    responder_.out_head_.clear();
    responder_.begin_head(status, content_length);
    responder_.head_due_ = true;
    return &responder_.out_head_;
}

Task<bool> Exchange::write(std::string_view piece) {
    co_return co_await responder_.write_pieces(std::span(&piece, 1), false);
}
Task<bool> Exchange::write(std::span<const std::string_view> pieces) {
    return responder_.write_pieces(pieces, false);
}
std::optional<bool> Exchange::write_now(std::span<const std::string_view> pieces) {
    return responder_.write_now(pieces);
}
Task<bool> Exchange::flush() {
    return responder_.flush();
}
Task<bool> Exchange::finish(std::string_view last) {
    co_return co_await responder_.write_pieces(std::span(&last, 1), true);
}
Task<bool> Exchange::finish(std::span<const std::string_view> last) {
    return responder_.write_pieces(last, true);
}
void Exchange::abort() {
    responder_.abort();
}
void Exchange::on_gone(std::function<void()> callback) {
    if (callback && responder_.gone_) {
        responder_.on_gone_ = nullptr;
        callback();
        return;
    }
    responder_.on_gone_ = std::move(callback);
}

BodyRefusal explain(BodyFault fault) noexcept {
    switch (fault) {
        case BodyFault::too_large:
            return {413, "The request's body is too large.", "request_too_large"};
        case BodyFault::no_memory:
            return {503, "There is no memory for the request's body now. Try again in a moment.",
                    "out_of_memory"};
        case BodyFault::too_slow:
            return {408, "The request's body did not come in time.", "request_timeout"};
        case BodyFault::none:
        case BodyFault::malformed:
        case BodyFault::gone:
            break;
    }
    return {400, "The request's body is malformed.", "bad_request"};
}

std::string refusal_body(unsigned status, std::string_view message, std::string_view code) {
    std::string body = "{\"error\":{\"message\":\"";
    body.append(message)
        .append("\",\"type\":\"")
        .append(status == 429  ? "rate_limit_error"
                : status < 500 ? "invalid_request_error"
                               : "server_error");
    body.append("\",\"code\":\"").append(code).append("\",\"param\":null}}");
    return body;
}

}  // namespace spillway::http
