#pragma once
/// HTTP/1.1 client (RFC 9112): a keep-alive pool per origin and thread, one request at a time per connection.
///
///     auto up = co_await origin.connect(false);          // pooled if possible, or fresh
///     co_await up->send(pieces);                         // one gathered write: head and body
///     auto head = co_await up->read_head(100s);          // views hold until done() or destruction
///     while (auto piece = co_await up->read_body(60s))   // decoded; empty view = the end
///     up->done();                                        // back to the pool, if it may be reused
///
/// An Upstream destroyed before done() closes its connection: that is how a request is cancelled.
/// Thread rule: everything on the io_context's one thread. Errors are values (NetError).
/// Ownership: Origins and Upstreams go before their io_context does.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/message.hpp"

namespace boost::asio::ssl {
class context;
}

namespace spillway::http {

namespace asio = boost::asio;

struct NetError {
    enum class Kind : std::uint8_t {
        resolve,    ///< the name has no address
        connect,    ///< refused, unreachable, reset while connecting
        tls,        ///< handshake or certificate
        timeout,    ///< the given time passed
        closed,     ///< the peer closed or reset
        protocol,   ///< not HTTP/1.1 as it should be, or over a limit
        cancelled,  ///< cancel() was called
    };
    Kind kind = Kind::closed;
    std::string message;
};
[[noreturn]] void throw_exception_from_error(const NetError& e, const boost::source_location& where);

template <class T>
using NetResult = boost::system::result<T, NetError>;

struct OriginOptions {
    std::string host;
    std::uint16_t port = 80;
    bool tls = false;
    bool tls_verify = true;
    std::string tls_ca_file;                             ///< empty: the system's
    std::string tls_server_name;                         ///< empty: host
    Duration connect_timeout = std::chrono::seconds(5);  ///< name, TCP and TLS together
    Duration idle_timeout = std::chrono::seconds(50);    ///< a pooled connection's life without use
    std::size_t max_idle = 256;
    std::size_t max_head_bytes = 64 * 1024;
};

/// Who takes a body piece by piece, see Upstream::pour().
class BodySink {
public:
    BodySink() = default;
    BodySink(const BodySink&) = delete;
    BodySink& operator=(const BodySink&) = delete;
    virtual ~BodySink() = default;
    /// The next piece; the view holds until the next call. False: pour() is to return.
    virtual bool take(std::string_view piece) = 0;
    /// A piece is about to come: asks for the memory that take() will want.
    virtual void prefetch() const noexcept = 0;
};

class ClientConnection;
struct OriginState;

class Upstream {
public:
    Upstream(std::shared_ptr<ClientConnection> connection, std::weak_ptr<OriginState> origin);
    Upstream(Upstream&&) noexcept;
    Upstream& operator=(Upstream&&) noexcept;
    ~Upstream();

    /// Was it used before (so that a close without an answer may only mean a stale connection)?
    [[nodiscard]] bool reused() const noexcept;
    /// One gathered write of all pieces; `timeout` is for a write that makes no progress. Succeeds, too, when
    /// the peer stopped listening but has answered already: read_head() tells.
    asio::awaitable<NetResult<void>> send(std::span<const std::string_view> pieces, Duration timeout);
    /// The usual case, without a coroutine: sends what the socket takes at once and takes that out of
    /// `pieces`. False when something is left for send(), be it that there was an error.
    bool send_now(std::span<std::string_view> pieces);
    /// The next final head (1xx are skipped), within `timeout`.
    asio::awaitable<NetResult<const ResponseHead*>> read_head(Duration timeout, bool head_request = false);
    /// The next piece of the body, chunked coding removed; an empty view is its end. `timeout` is for each
    /// piece. The view holds until the next call.
    asio::awaitable<NetResult<std::string_view>> read_body(Duration timeout);
    /// Gives each piece of the body to `sink` as it comes, without waking whoever awaits this: true at the
    /// body's end, false when the sink wanted no more for now (its last piece still holds).
    asio::awaitable<NetResult<bool>> pour(BodySink& sink, Duration timeout);
    /// What read_body() would give, if it is there already and the body has a length.
    [[nodiscard]] std::optional<std::string_view> body_now();
    /// After the end of the body: the connection goes back to its pool, or is closed if it may not be reused.
    void done();
    /// Ends a pending operation with `cancelled`. Safe to call at any time on this thread.
    void cancel();

private:
    std::shared_ptr<ClientConnection> connection_;
    std::weak_ptr<OriginState> origin_;
};

/// Ends Origin::connect() from elsewhere on its thread: it returns `cancelled` soon. A connect() that begins
/// afterwards fails at once. Must outlive the connect() it is given to.
class ConnectCancel {
public:
    ConnectCancel() = default;
    ConnectCancel(const ConnectCancel&) = delete;
    ConnectCancel& operator=(const ConnectCancel&) = delete;
    void cancel() noexcept;
    [[nodiscard]] bool cancelled() const noexcept { return cancelled_; }

private:
    friend struct OriginState;
    std::weak_ptr<ClientConnection> connection_;
    bool cancelled_ = false;
};

/// One scheme, host and port as seen by one thread, with its idle connections.
class Origin {
public:
    Origin(asio::io_context& context, OriginOptions options);
    Origin(Origin&&) noexcept = default;
    Origin& operator=(Origin&&) = delete;
    Origin(const Origin&) = delete;
    Origin& operator=(const Origin&) = delete;
    ~Origin();

    /// Asks for the memory that connect() and what follows it will want: of many origins, each is cold.
    void prefetch() const noexcept;

    /// A pooled connection, if there is one.
    [[nodiscard]] std::optional<Upstream> pooled();
    /// A pooled connection, or a new one when there is none or `fresh` is wanted.
    asio::awaitable<NetResult<Upstream>> connect(bool fresh);
    asio::awaitable<NetResult<Upstream>> connect(bool fresh, ConnectCancel& cancel);
    [[nodiscard]] std::size_t idle() const noexcept;
    [[nodiscard]] const OriginOptions& options() const noexcept;
    [[nodiscard]] asio::io_context& context() const noexcept;

private:
    asio::awaitable<NetResult<Upstream>> connect(bool fresh, ConnectCancel* cancel);
    std::shared_ptr<OriginState> state_;
};

}  // namespace spillway::http
