#pragma once
/// HTTP/1.1 server (RFC 9112): keep-alive, pipelining, TLS, limits on head, body and time. Through TLS also
/// HTTP/2 (RFC 9113), if the client's ALPN asks for it; a handler need not know which.
/// One Server per Loop and thread; several share a port through SO_REUSEPORT. What the handler refers
/// to must live as long as the Loop runs or close() and the last connection's end.
///
/// A handler gets an Exchange: a request that was read whole, and the way to answer it. With
/// hand_over_heads() it gets one as soon as its head is there, and says itself when the body is to be read:
/// so that nobody's body takes memory before it is known whose it is. It must answer (respond, or
/// start…finish); when it returns without or throws, the client gets a 500. Bad requests are answered here,
/// with OpenAI's error JSON, and never reach the handler.
///
/// A client that closes its sending side has left: a half-close cannot be told from a close (both are a FIN),
/// and work for nobody must end at once. So on_gone is called and streaming writes return false, as nginx
/// does for proxied requests; but an answer that is ready whole (respond) is still sent, in case it is
/// listening.
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/memory_budget.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "http/acceptor.hpp"
#include "http/message.hpp"
#include "http/tls_context.hpp"

namespace spillway {
class Loop;
}

namespace spillway::http {

struct ServerLimits {
    std::size_t max_head_bytes = 32 * 1024;
    std::size_t max_body_bytes = 32 * 1024 * 1024;
    Duration head_timeout = std::chrono::seconds(10);        ///< from a head's first byte to its last
    Duration body_timeout = std::chrono::seconds(30);        ///< between two reads of a body
    Duration body_time = std::chrono::minutes(5);            ///< from a body's first byte to its last
    std::size_t body_rate = 1024;                            ///< least bytes a second of a body; 0 = any
    Duration keep_alive_timeout = std::chrono::seconds(75);  ///< idle between requests
    Duration write_timeout = std::chrono::seconds(60);       ///< a write that makes no progress
    std::size_t max_connections = 0;                         ///< idle ones go for more; 0 = no limit
    std::uint32_t max_streams = 100;                         ///< HTTP/2: requests at once on a connection
    /// HTTP/2: bodies on one connection; more wait. At least one body of max_body_bytes fits in any case.
    std::size_t max_connection_body_bytes = 64 * 1024 * 1024;
    MemoryBudget* memory = nullptr;  ///< for bodies, of all who share it; outlives the server. Null: none
};

class Responder;

/// Why a body was not read.
enum class BodyFault : std::uint8_t {
    none,       ///< it was
    too_large,  ///< for ServerLimits::max_body_bytes
    no_memory,  ///< for it now
    too_slow,
    malformed,
    gone,  ///< the client left
};
/// What the client is told of it.
struct BodyRefusal {
    unsigned status = 0;
    std::string_view message;
    std::string_view code;
};
[[nodiscard]] BodyRefusal explain(BodyFault fault) noexcept;

/// One request and its answer. Lives on its connection's thread, for the handler's call only.
/// All views hold until the handler returns. One write at a time; writes return false once the client is gone
/// (or timed out), or when they do not fit what was begun (more than the Content-Length, a second answer).
class Exchange {
public:
    [[nodiscard]] const RequestHead& request() const noexcept;
    /// The whole body, once it was read; at least 64 readable bytes follow it (simdjson's padding).
    [[nodiscard]] std::string_view body() const noexcept;
    /// Is there one that read_body() has to read? Never where bodies are read before the handler is called.
    [[nodiscard]] bool body_due() const noexcept;
    /// Reads it, or says why not: then the request is to be refused, see explain(). Who answers without it
    /// leaves it unread: on HTTP/1.1 the connection closes then, but for a short body; on HTTP/2 the client
    /// is told to stop (RFC 9113 §8.1).
    Task<BodyFault> read_body();
    /// The client's address, "1.2.3.4:567".
    [[nodiscard]] std::string_view peer() const noexcept;
    /// When the request's first byte was read.
    [[nodiscard]] Mono received_at() const noexcept;
    /// What this connection lives on: timers and upstream pools of the same thread.
    [[nodiscard]] Loop& loop() const noexcept;

    /// "Date: …" as a field line, for answers made here (RFC 9110 §6.6.1). Views what changes each second.
    [[nodiscard]] std::string_view date_line() const;
    /// Head and body in one write. `extra` goes out beside Date, Content-Length and Connection.
    Task<bool> respond(unsigned status, std::span<const Field> extra, std::string_view body);

    /// Prepares a head, sent with the first write. `fields` are ready lines ("name: value\r\n"…), without
    /// Content-Length, Transfer-Encoding and Connection. No length: chunked (HTTP/1.0: until close).
    /// To HEAD, and with 204 and 304, no body is sent whatever is written.
    void start(unsigned status, std::string_view fields, std::optional<std::uint64_t> content_length);
    /// As start(), but the caller appends the fields to what this returns, before the first write. Null when
    /// an answer has begun.
    std::string* start(unsigned status, std::optional<std::uint64_t> content_length);
    /// One gathered write of a piece of body (with the head before it if that is still due).
    Task<bool> write(std::string_view piece);
    Task<bool> write(std::span<const std::string_view> pieces);
    /// As write(), but without a coroutine, if the socket takes all at once. Nothing: it does not; what
    /// `pieces` name must hold, and nothing else be written, until flush() is done.
    std::optional<bool> write_now(std::span<const std::string_view> pieces);
    Task<bool> flush();
    /// Ends the body; `last` goes out in the same write as the end mark.
    Task<bool> finish(std::string_view last = {});
    Task<bool> finish(std::span<const std::string_view> last);
    /// Closes the connection (HTTP/2: resets the stream) without a proper end, a cut the client can see;
    /// on_gone is not called for it.
    void abort();

    [[nodiscard]] bool started() const noexcept;      ///< an answer's first byte may have gone down
    [[nodiscard]] bool client_gone() const noexcept;  ///< closed, reset or timed out
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept;
    /// `callback` runs (once) on this thread when the client leaves while the handler is busy; at once,
    /// before on_gone returns, if it already left. An empty function unsets it.
    void on_gone(std::function<void()> callback);

private:
    friend class Responder;
    explicit Exchange(Responder& responder) : responder_(responder) {}
    Responder& responder_;
};

using Handler = std::function<Task<void>(Exchange&)>;

class Server {
public:
    Server(Loop& loop, ServerLimits limits, Handler handler);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    /// The handler is called when a request's head is there. Before listen().
    void hand_over_heads() noexcept;
    /// Keeps so many descriptors aside for connections that come when the process has no others.
    void keep_descriptors(std::size_t count);
    /// Called each time that a connection could not be accepted: the system's reason. Before listen().
    void on_shortage(std::function<void(const std::error_code&)> callback);
    /// What a handler threw; its client got a 500, or a cut answer if it had begun. Call before listen().
    void on_exception(std::function<void(const std::exception_ptr&)> callback);
    /// For what begins from now on, also on open connections.
    void use_limits(const ServerLimits& limits) noexcept;
    /// TLS for all connections from now on: from PEM files, or what several Servers share. Before listen(),
    /// and again for certificates that were renewed.
    Result<void> use_tls(const std::string& cert_file, const std::string& key_file);
    void use_tls(TlsContext::Shared tls) noexcept;
    /// Binds, alone, and starts to accept. An error names host, port and reason.
    Result<void> listen(const Listen& where);
    /// On a socket that listens already; may be called for several.
    Result<void> listen(FileDescriptor socket);
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::size_t connections() const noexcept;
    /// The end is near: connections are still taken, but each answer is its connection's last (HTTP/2:
    /// GOAWAY). Who balances the load has the time to send it elsewhere; nobody is refused meanwhile.
    void announce_end();
    /// No new connections; what is open goes on. Those that wait to be accepted are left to whoever else has
    /// the same sockets.
    void stop_accepting();
    /// No new connections but those that wait already; idle ones close, busy ones close after their answers
    /// (HTTP/2: GOAWAY).
    void drain();
    /// Closes everything now.
    void close();

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace spillway::http
