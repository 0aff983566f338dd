#pragma once
/// One stream of HTTP/2: its request while it arrives, then its answer. Internal to the http room.
/// Ownership: owned by the connection while the stream is open, and by its handler's coroutine. The
/// connection outlives both. Thread rule: its Loop's thread. Errors: BodyFault, or a reset of the stream.
#include <nghttp2/nghttp2.h>

#include <boost/container/small_vector.hpp>
#include <memory>

#include "base/event.hpp"
#include "base/task.hpp"
#include "base/timer_wheel.hpp"
#include "http/body_pace.hpp"
#include "http/buffer.hpp"
#include "http/responder.hpp"

namespace spillway::http {

class Http2Connection;

class Http2Exchange final : public std::enable_shared_from_this<Http2Exchange>, private Responder {
public:
    Http2Exchange(Http2Connection& connection, std::int32_t id);

    // http2_request.cpp: the request's head
    void add_field(std::string_view name, std::string_view value);
    /// A field of `size` bytes with an invalid name or value.
    void add_invalid_field(std::size_t size);
    void end_head(bool end);
    [[nodiscard]] bool has_head() const noexcept { return has_head_; }

    // http2_body.cpp: the request's body
    void add_body(std::string_view bytes);
    void end_body();
    /// Reads the body before a handler is called. False: the request was refused, or is gone.
    Task<bool> read_whole();

    // http2_exchange.cpp: the answer
    [[nodiscard]] Exchange begin();
    /// The handler has returned.
    void end();
    void refuse(unsigned status, std::string_view message, std::string_view code);
    /// The stream has closed.
    void close();
    /// Calls on_gone.
    void notify_gone();
    [[nodiscard]] bool gone() const noexcept { return gone_; }

private:
    struct Line {
        std::size_t at = 0;  // in text_
        std::size_t name = 0;
        std::size_t value = 0;
    };

    void begin_head(unsigned status, std::optional<std::uint64_t> content_length) override;
    Task<bool> write_pieces(std::span<const std::string_view> pieces, bool last) override;
    std::optional<bool> write_now(std::span<const std::string_view> pieces) override;
    Task<bool> flush() override;
    void abort() override;
    void end_connection() override { ends_connection_ = true; }
    Task<BodyFault> read_body() override;

    Task<BodyFault> gather_body();
    Task<BodyFault> wait_for_room(std::size_t size);
    void begin_body();
    void fault(BodyFault what);
    void arm_for_body();
    void release_body() noexcept;
    [[nodiscard]] bool has_room_for(std::size_t field_size);
    void add_line(std::string_view name, std::string_view value);
    void refuse_malformed();
    [[nodiscard]] bool check_head();
    void offer(std::span<const std::string_view> pieces, bool last);
    bool submit_head(bool bodiless);
    [[nodiscard]] ssize_t read_data(std::uint8_t* out, std::size_t room, std::uint32_t& flags);
    [[nodiscard]] bool pending() const noexcept { return !pieces_.empty() || (last_ && !ended_); }
    void reset(std::uint32_t code);
    void expired();

    Http2Connection& connection_;
    const std::int32_t id_;
    Timeout timeout_;

    std::string text_;  // field lines "name: value\r\n"
    boost::container::small_vector<Line, 24> lines_;
    std::string method_;
    std::string target_;
    std::string authority_;
    std::string host_;
    std::string cookie_;
    std::size_t head_size_ = 0;
    Buffer data_;
    MemoryCharge connection_charge_;  // for data_
    std::optional<BodyPace> pace_;    // of a body being read
    BodyFault fault_ = BodyFault::none;
    Event body_changed_;  // has_body_, fault_, or gone
    bool reading_ = false;
    bool has_head_ = false;
    bool has_body_ = false;  // the whole request has arrived
    bool malformed_ = false;
    bool refused_ = false;

    unsigned status_ = 0;
    std::optional<std::uint64_t> left_;  // of the body, if its length is known
    bool bodiless_ = false;
    std::span<const std::string_view> for_flush_;
    std::span<const std::string_view> pieces_;  // to be sent, from in_piece_ on
    std::size_t in_piece_ = 0;
    Event written_;
    std::string refusal_;
    std::string_view refusal_piece_;
    bool last_ = false;      // nothing follows pieces_
    bool ended_ = false;     // nghttp2 has been given the end
    bool finished_ = false;  // the handler finished, and everything was sent
    bool busy_ = false;      // a handler is running
    bool cut_ = false;       // reset by this side
    bool closed_ = false;
    bool ends_connection_ = false;
};

}  // namespace spillway::http
