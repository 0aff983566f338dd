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
/// Thread rule: everything on the Loop's one thread. Errors are values (NetError).
/// Ownership: Origins and Upstreams go before their Loop does.
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "http/dialer.hpp"
#include "http/message.hpp"
#include "http/net_error.hpp"

namespace spillway {
class Loop;
}

namespace spillway::http {

struct OriginOptions : DialOptions {
    Duration idle_timeout = std::chrono::seconds(50);  ///< a pooled connection's life without use
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
    virtual bool on_data(std::string_view piece) = 0;
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
    Task<NetResult<void>> send(std::span<const std::string_view> pieces, Duration timeout);
    /// The usual case, without a coroutine: sends what the socket takes at once and takes that out of
    /// `pieces`. False when something is left for send(), be it that there was an error.
    bool send_now(std::span<std::string_view> pieces);
    /// The next final head (1xx are skipped), within `timeout`.
    Task<NetResult<const ResponseHead*>> read_head(Duration timeout, bool head_request = false);
    /// The next piece of the body, chunked coding removed; an empty view is its end. `timeout` is for each
    /// piece. The view holds until the next call.
    Task<NetResult<std::string_view>> read_body(Duration timeout);
    /// Gives each piece of the body to `sink` as it comes, without waking whoever awaits this: true at the
    /// body's end, false when the sink wanted no more for now (its last piece still holds).
    Task<NetResult<bool>> pour(BodySink& sink, Duration timeout);
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
using ConnectCancel = Dial;

/// One scheme, host and port as seen by one thread, with its idle connections.
class Origin {
public:
    Origin(Loop& loop, OriginOptions options);
    Origin(Origin&&) noexcept = default;
    Origin& operator=(Origin&&) = delete;
    Origin(const Origin&) = delete;
    Origin& operator=(const Origin&) = delete;
    ~Origin();

    /// Looks the name up ahead of need, in the background.
    void look_up();
    /// A pooled connection, if there is one.
    [[nodiscard]] std::optional<Upstream> pooled();
    /// A pooled connection, or a new one when there is none or `fresh` is wanted.
    Task<NetResult<Upstream>> connect(bool fresh);
    Task<NetResult<Upstream>> connect(bool fresh, ConnectCancel& cancel);
    [[nodiscard]] std::size_t idle() const noexcept;
    [[nodiscard]] const OriginOptions& options() const noexcept;
    [[nodiscard]] Loop& loop() const noexcept;

private:
    std::shared_ptr<OriginState> state_;
};

}  // namespace spillway::http
