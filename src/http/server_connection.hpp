#pragma once
/// One client connection of a Server. Internal to the http room.
///
/// A read is always pending while a handler runs: it is the read of the next request, and also notices at
/// once when the client leaves, without another system call.
#include <array>
#include <boost/container/small_vector.hpp>

#include "base/event.hpp"
#include "base/task.hpp"
#include "base/timer_wheel.hpp"
#include "http/body_pace.hpp"
#include "http/buffer.hpp"
#include "http/parser.hpp"
#include "http/responder.hpp"
#include "http/stream.hpp"

namespace spillway::http {

class Http2Connection;

/// How much a client may send ahead while its request is handled; beyond that, its departure is not noticed
/// until something is written.
inline constexpr std::size_t most_ahead = 64 * 1024;
/// What whoever came to the port just before it closed has for its handshake and then for its only request.
inline constexpr Duration last_chance = std::chrono::seconds(1);

class ServerConnection final : public std::enable_shared_from_this<ServerConnection>,
                               private StreamUser,
                               private Responder {
public:
    ServerConnection(Loop& loop, std::shared_ptr<const ServerShared> shared, std::string peer,
                     AddressCounts::Place place = {});

    Task<void> run(std::unique_ptr<Transport> transport);
    /// Closes now if idle, else after the answer; one that has sent no request yet may still send one, soon.
    void drain();
    /// Announces the end to the client: with the next answer, or with GOAWAY.
    void announce_end();
    void close() noexcept { stream_.close(); }
    /// Its client has too many: its first request, which has to come soon, gets 429. Before run().
    void refuse_requests() noexcept { draining_ = crowded_ = true; }
    /// Whether no request is in progress.
    [[nodiscard]] bool idle() const noexcept;
    /// The zero of Mono if none was ever received. Not for HTTP/2.
    [[nodiscard]] Mono last_request_at() const noexcept { return received_at_; }

private:
    enum class Read : std::uint8_t { request, closed, refused };
    enum class Expiry : std::uint8_t { close, stop_reading };

    // server_connection.cpp: its life
    /// Serves the connection as HTTP/2 if the client chose that.
    Task<bool> run_http2();
    Task<void> exchange();
    Task<void> say_goodbye();
    void start_read();
    std::span<char> read_space() override;
    void unread() override;
    void did_read(const std::error_code& ec, std::size_t n) override;
    void left();
    Task<bool> more(Duration timeout, Expiry expiry = Expiry::close);
    void begin_wait(Duration timeout, Expiry expiry);
    [[nodiscard]] bool wants_more(std::size_t before);
    void expired();

    // server_read.cpp: requests
    Task<Read> read_request();
    [[nodiscard]] bool check_head();
    /// Begins the request whose head was read, with its body if that is complete.
    void begin_request(std::size_t head_size);
    void set_request_aside(std::size_t bytes);
    Task<Read> late();
    Task<Read> refuse(unsigned status, std::string_view message, std::string_view code);

    // server_body.cpp: bodies
    Task<BodyFault> read_body() override;
    Task<BodyFault> read_length_body();
    Task<BodyFault> read_chunked_body();
    Task<bool> send_continue();
    [[nodiscard]] BodyPace body_pace() const;
    /// Whether the unread rest of a body can be skipped.
    [[nodiscard]] bool is_short() const noexcept;
    Task<bool> skip_body();
    void release_request() noexcept;

    // server_answer.cpp: answers
    void begin_head(unsigned status, std::optional<std::uint64_t> content_length) override;
    Task<bool> write_pieces(std::span<const std::string_view> pieces, bool last) override;
    std::optional<bool> write_now(std::span<const std::string_view> pieces) override;
    Task<bool> flush() override;
    void abort() override;
    void end_connection() override { close_after_ = true; }
    // nullopt: unsent_ is what the socket did not accept at once.
    std::optional<bool> start_write(std::span<const std::string_view> pieces, bool last);
    std::optional<bool> send_now();
    Task<bool> send(Buffers buffers);
    void cut() noexcept;

    // Members used to write an answer come first.
    Stream stream_;
    std::array<char, 20> chunk_line_{};
    Framing framing_ = Framing::none;  // of the answer
    bool finished_ = false;
    bool close_after_ = false;
    bool busy_ = false;  // a handler is running
    bool dead_ = false;  // nothing more can be written
    bool aborted_ = false;
    bool draining_ = false;
    bool crowded_ = false;  // its client has too many connections
    std::uint64_t body_left_ = 0;
    boost::container::small_vector<std::string_view, 4> out_;  // of the present write
    Buffers unsent_;                                           // the unsent rest

    Timeout timeout_;
    TimerWheel& wheel_;
    const std::shared_ptr<const ServerShared> shared_;
    const ServerLimits& limits_;
    const std::string peer_text_;
    const AddressCounts::Place place_;
    std::unique_ptr<PeerCertificate> peer_certificate_;
    std::weak_ptr<Http2Connection> http2_;

    Buffer in_;       // what is being read
    Buffer request_;  // the request being handled
    Buffer content_;  // its body, if it did not arrive with the head
    Event readable_;
    std::size_t read_until_ = 0;  // bytes of a body to read into in_
    Expiry expiry_ = Expiry::close;
    bool eof_ = false;  // nothing more can be read
    bool timed_out_ = false;
};

}  // namespace spillway::http
