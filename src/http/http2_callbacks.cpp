// nghttp2's callbacks to an Http2Connection. They may submit frames, but not send or receive, and run no
// code of handlers: that waits for settle(). Memory that cannot be had ends the program: no exception can
// pass through nghttp2.
#include <algorithm>
#include <array>

#include "http/http2_connection.hpp"
#include "http/http2_exchange.hpp"

namespace spillway::http {

namespace {
constexpr std::int32_t connection_window = 4 * 1024 * 1024;
/// So many cancelled requests at once, and a second in the long run.
constexpr double reset_burst = 200;
constexpr double resets_per_second = 33;

std::string_view text_of(const std::uint8_t* bytes, std::size_t n) noexcept {
    return {reinterpret_cast<const char*>(bytes), n};
}

/// Resets that a client provokes (CVE-2025-8671) are as good as its own.
bool clients_fault(std::uint32_t code) noexcept {
    return code == NGHTTP2_PROTOCOL_ERROR || code == NGHTTP2_FLOW_CONTROL_ERROR ||
           code == NGHTTP2_STREAM_CLOSED || code == NGHTTP2_FRAME_SIZE_ERROR;
}
}  // namespace

struct Http2Callbacks {
    static Http2Connection& of(void* user) noexcept { return *static_cast<Http2Connection*>(user); }
    static Http2Exchange* find(nghttp2_session* session, std::int32_t id) noexcept {
        return static_cast<Http2Exchange*>(nghttp2_session_get_stream_user_data(session, id));
    }

    static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept {
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) of(user).on_request(frame->hd.stream_id);
        return 0;
    }
    static int on_header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                         std::uint8_t, void*) noexcept {
        if (Http2Exchange* x = find(session, frame->hd.stream_id))
            x->add_field(text_of(name, name_size), text_of(value, value_size));
        return 0;
    }
    static int on_invalid_header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t*,
                                 std::size_t name_size, const std::uint8_t*, std::size_t value_size,
                                 std::uint8_t, void*) noexcept {
        if (Http2Exchange* x = find(session, frame->hd.stream_id))
            x->add_invalid_field(name_size + value_size);
        return 0;
    }
    static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                       std::size_t size, void*) noexcept {
        // Streams wait for memory one by one, see Http2Exchange: the connection waits for none.
        (void)nghttp2_session_consume_connection(session, size);
        if (Http2Exchange* x = find(session, id)) x->add_body(text_of(data, size));
        return 0;
    }
    static int on_frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept {
        of(user).on_frame(*frame);
        return 0;
    }
    static int on_frame_send(nghttp2_session*, const nghttp2_frame* frame, void* user) noexcept {
        of(user).on_sent(*frame);
        return 0;
    }
    static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) noexcept {
        of(user).on_closed(id);
        return 0;
    }
};

void Http2Connection::open_session() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_option* options = nullptr;
    nghttp2_session* session = nullptr;
    int failed = nghttp2_session_callbacks_new(&callbacks);
    if (failed == 0) failed = nghttp2_option_new(&options);
    if (failed == 0) {
        nghttp2_option_set_no_closed_streams(options, 1);
        nghttp2_option_set_no_auto_window_update(options, 1);
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Http2Callbacks::on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, Http2Callbacks::on_header);
        nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks,
                                                                 Http2Callbacks::on_invalid_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Http2Callbacks::on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Http2Callbacks::on_frame_recv);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Http2Callbacks::on_frame_send);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Http2Callbacks::on_stream_close);
        failed = nghttp2_session_server_new2(&session, callbacks, this, options);
    }
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    session_.reset(session);
    if (failed != 0) throw std::bad_alloc();  // the only cause
    const std::array<nghttp2_settings_entry, 3> settings{
        {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits().max_streams},
         {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(first_window)},
         {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits().max_head_bytes)}}};
    (void)nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    (void)nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, connection_window);
    resets_left_ = reset_burst;
    resets_counted_ = mono_now();
}

void Http2Connection::on_request(std::int32_t id) {
    greeted_ = true;
    idle_.disarm();
    // Those whose client cancelled do not count as streams any more, but still work.
    if (busy_ >= 2 * static_cast<std::size_t>(limits().max_streams) || doom_ || leaving_) {
        (void)nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        return;
    }
    auto exchange = std::make_shared<Http2Exchange>(*this, id);
    (void)nghttp2_session_set_stream_user_data(session_.get(), id, exchange.get());
    open_.emplace(id, std::move(exchange));
}

void Http2Connection::on_frame(const nghttp2_frame& frame) {
    const bool end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame.hd.type) {
        case NGHTTP2_HEADERS:
        case NGHTTP2_DATA:
            if (Http2Exchange* x = Http2Callbacks::find(session_.get(), frame.hd.stream_id)) {
                if (!x->has_head())
                    x->end_head(end);
                else if (end)
                    x->end_body();
            }
            break;
        case NGHTTP2_RST_STREAM:
            count_reset();
            break;
        case NGHTTP2_PING:
            if (draining_ && (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) refuse_new_streams();
            break;
        default:
            break;
    }
}

void Http2Connection::on_sent(const nghttp2_frame& frame) {
    if (frame.hd.type == NGHTTP2_RST_STREAM && clients_fault(frame.rst_stream.error_code)) count_reset();
    // An answer that ended before its request did: the rest is not wanted (RFC 9113 §8.1).
    if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
    if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
    if (nghttp2_session_get_stream_remote_close(session_.get(), frame.hd.stream_id) == 0)
        (void)nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, frame.hd.stream_id,
                                        NGHTTP2_NO_ERROR);
}

void Http2Connection::on_closed(std::int32_t id) {
    const auto at = open_.find(id);
    if (at == open_.end()) return;
    at->second->close();
    departed_.push_back(std::move(at->second));
    open_.erase(at);
}

void Http2Connection::count_reset() {
    const Mono now = mono_now();
    const double seconds = std::chrono::duration<double>(now - resets_counted_).count();
    resets_counted_ = now;
    resets_left_ = std::min(reset_burst, resets_left_ + seconds * resets_per_second) - 1;
    if (resets_left_ < 0) give_up(NGHTTP2_ENHANCE_YOUR_CALM);
}

}  // namespace spillway::http
