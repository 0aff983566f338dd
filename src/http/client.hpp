#pragma once
/// HTTP/1.1 client (RFC 9112): a keep-alive pool per origin and thread, one request at a time per connection.
///
///     auto up = co_await origin.connect(false);          // pooled if possible, or fresh
///     co_await up->send(pieces, 60s);                    // one gathered write: head and body
///     auto head = co_await up->read_head(100s);          // views are valid until done() or destruction
///     auto piece = co_await up->read_body(60s);          // decoded; repeat until it is empty: the end
///     up->done();                                        // back to the pool, if it can be reused
///
/// Destroying an Upstream before done() closes its connection, which cancels the request.
/// Thread rule: everything on the Loop's one thread. Errors are values (NetError).
/// Ownership: Origins and Upstreams are destroyed before their Loop.
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
    Duration idle_timeout = std::chrono::seconds(50);  ///< how long an unused connection stays in the pool
    std::size_t max_idle = 256;
    std::size_t max_head_bytes = 64 * 1024;
};

/// Receives a body piece by piece; see Upstream::pour().
class BodySink {
public:
    BodySink() = default;
    BodySink(const BodySink&) = delete;
    BodySink& operator=(const BodySink&) = delete;
    virtual ~BodySink() = default;
    /// Something has come and is about to be read: more of the body, most likely.
    virtual void on_readable() noexcept {}
    /// The next piece; the view is valid until the next call. Return false to make pour() return.
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

    /// Whether it was used before, so that a close without an answer may only mean a stale connection.
    [[nodiscard]] bool reused() const noexcept;
    /// One gathered write of all pieces; `timeout` is for a write without progress. Also succeeds if the peer
    /// stopped reading but has answered already, which read_head() returns.
    Task<NetResult<void>> send(std::span<const std::string_view> pieces, Duration timeout);
    /// The usual case, without a coroutine: sends what the socket accepts at once and removes it from
    /// `pieces`. False if something is left for send(), or after an error.
    bool send_now(std::span<std::string_view> pieces);
    /// The next final head within `timeout`; 1xx are skipped.
    Task<NetResult<const ResponseHead*>> read_head(Duration timeout, bool head_request = false);
    /// The next piece of the body, without chunked coding; empty at the end. `timeout` is for each piece. The
    /// view is valid until the next call.
    Task<NetResult<std::string_view>> read_body(Duration timeout);
    /// Passes each piece of the body to `sink` as it arrives, without waking the awaiter: true at the body's
    /// end, false if the sink wanted no more for now (its last piece is still valid).
    Task<NetResult<bool>> pour(BodySink& sink, Duration timeout);
    /// What read_body() would return, if it is available already and the body has a length.
    [[nodiscard]] std::optional<std::string_view> body_now();
    /// After the body's end: returns the connection to its pool, or closes it if it cannot be reused.
    void done();
    /// Ends a pending operation with `cancelled`. Safe to call at any time on this thread.
    void cancel();

private:
    std::shared_ptr<ClientConnection> connection_;
    std::weak_ptr<OriginState> origin_;
};

/// Ends Origin::connect() from elsewhere on its thread: it soon returns `cancelled`. A connect() that starts
/// later fails at once. Must outlive the connect() it is passed to.
using ConnectCancel = Dial;

/// One scheme, host and port, on one thread, with its idle connections.
class Origin {
public:
    Origin(Loop& loop, OriginOptions options);
    Origin(Origin&&) noexcept = default;
    Origin& operator=(Origin&&) = delete;
    Origin(const Origin&) = delete;
    Origin& operator=(const Origin&) = delete;
    ~Origin();

    /// Looks the name up in advance, in the background.
    void look_up();
    /// A pooled connection, if there is one.
    [[nodiscard]] std::optional<Upstream> pooled();
    /// A pooled connection, or a new one if there is none or `fresh` is set.
    Task<NetResult<Upstream>> connect(bool fresh);
    Task<NetResult<Upstream>> connect(bool fresh, ConnectCancel& cancel);
    [[nodiscard]] std::size_t idle() const noexcept;
    [[nodiscard]] const OriginOptions& options() const noexcept;
    [[nodiscard]] Loop& loop() const noexcept;

private:
    std::shared_ptr<OriginState> state_;
};

}  // namespace spillway::http
