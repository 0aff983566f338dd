#pragma once
/// HTTP/1.1 server (RFC 9112): keep-alive, pipelining, TLS, limits on head, body and time. With TLS also
/// HTTP/2 (RFC 9113), if the client's ALPN asks for it; a handler need not know which. One Server per Loop
/// and thread; several share a port through SO_REUSEPORT. Ownership: what the handler refers to must live
/// until the Loop stops, or until close() and the end of the last connection.
///
/// A handler gets an Exchange: a request that was read completely, and the means to answer it. With
/// hand_over_heads() it gets one as soon as the head is complete, and decides itself when to read the body,
/// so that no body uses memory before its sender is known. It must answer (respond, or start…finish); if it
/// returns without an answer or throws, the client gets a 500. Bad requests are answered by the server, with
/// OpenAI's error JSON, and never reach the handler.
///
/// A client that closes its sending side has left: a half-close looks the same as a close (both send a FIN),
/// and work for a client that left must end at once. So on_gone is called and streaming writes return false,
/// as in nginx for proxied requests; but a complete answer (respond) is still sent, in case the client is
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
#include "http/address_counts.hpp"
#include "http/message.hpp"
#include "http/peer_certificate.hpp"
#include "http/tls_context.hpp"

namespace spillway {
class Loop;
}

namespace spillway::http {

struct ServerLimits {
    std::size_t max_head_bytes = 32 * 1024;
    std::size_t max_body_bytes = 64 * 1024 * 1024;
    /// For forms (multipart/form-data), which bring files; at least max_body_bytes.
    std::size_t max_upload_bytes = 0;
    Duration head_timeout = std::chrono::seconds(10);        ///< from a head's first byte to its last
    Duration body_timeout = std::chrono::seconds(30);        ///< between two reads of a body
    Duration body_time = std::chrono::minutes(5);            ///< from a body's first byte to its last
    std::size_t body_rate = 1024;                            ///< minimum bytes per second of a body; 0 = any
    Duration keep_alive_timeout = std::chrono::seconds(75);  ///< idle between requests
    Duration write_timeout = std::chrono::seconds(60);       ///< a write without progress
    std::size_t max_connections = 0;  ///< idle ones are closed for new ones; 0 = no limit
    /// From one address: what is beyond gets 429 for its first request, or is closed at once if it is more
    /// than twice as many. 0 = no limit. Needs `addresses`, shared with others, which outlive the server.
    std::size_t connections_per_client = 0;
    AddressCounts* addresses = nullptr;
    std::uint32_t max_streams = 100;  ///< HTTP/2: concurrent requests on a connection
    /// HTTP/2: for bodies on one connection; further ones wait. One body, however large, always fits.
    std::size_t max_connection_body_bytes = 64 * 1024 * 1024;
    MemoryBudget* memory = nullptr;  ///< for bodies, shared with others; outlives the server. Null: no limit
};

class Responder;

/// Why a body could not be read.
enum class BodyFault : std::uint8_t {
    none,       ///< it was
    too_large,  ///< for its kind: see most_body(); or for half of the budget, though it is an upload
    no_memory,  ///< at present
    too_slow,
    malformed,
    gone,  ///< the client left
};
/// The answer to the client.
struct BodyRefusal {
    unsigned status = 0;
    std::string_view message;
    std::string_view code;
};
[[nodiscard]] BodyRefusal explain(BodyFault fault) noexcept;

/// One request and its answer, on its connection's thread, for the duration of the handler's call.
/// All views are valid until the handler returns. One write at a time; writes return false once the client is
/// gone (or timed out), or if they do not fit (more than the Content-Length, a second answer).
class Exchange {
public:
    [[nodiscard]] const RequestHead& request() const noexcept;
    /// The whole body, once read; at least 64 readable bytes follow it (simdjson's padding).
    [[nodiscard]] std::string_view body() const noexcept;
    /// Whether read_body() has a body to read. Never if bodies are read before the handler is called.
    [[nodiscard]] bool body_due() const noexcept;
    /// Reads the body, or says why not, so that the request can be refused; see explain(). An answer without
    /// it leaves the body unread: on HTTP/1.1 the connection then closes, unless the body is short; on HTTP/2
    /// the client is asked to stop (RFC 9113 §8.1).
    Task<BodyFault> read_body();
    /// The client's address, "1.2.3.4:567".
    [[nodiscard]] std::string_view peer() const noexcept;
    /// The client's verified certificate; null: it showed none. The connection's, so for its next requests,
    /// too.
    [[nodiscard]] PeerCertificate* peer_certificate() const noexcept;
    /// When the request's first byte was read.
    [[nodiscard]] Mono received_at() const noexcept;
    /// This connection's Loop, with the timers and upstream pools of its thread.
    [[nodiscard]] Loop& loop() const noexcept;

    /// "Date: …" as a field line, for own answers (RFC 9110 §6.6.1). The viewed text changes each second.
    [[nodiscard]] std::string_view date_line() const;
    /// Head and body in one write. `extra` is sent with Date, Content-Length and Connection.
    Task<bool> respond(unsigned status, std::span<const Field> extra, std::string_view body);

    /// Prepares a head, to be sent with the first write. `fields` are complete lines ("name: value\r\n"…),
    /// without Content-Length, Transfer-Encoding and Connection. Without a length: chunked (HTTP/1.0: until
    /// close). For HEAD, 204 and 304 no body is sent, whatever is written.
    void start(unsigned status, std::string_view fields, std::optional<std::uint64_t> content_length);
    /// Like start(), but the caller appends the fields to the result before the first write. Null if an
    /// answer has been started.
    std::string* start(unsigned status, std::optional<std::uint64_t> content_length);
    /// One gathered write of a piece of the body, preceded by the head if it is still due.
    Task<bool> write(std::string_view piece);
    Task<bool> write(std::span<const std::string_view> pieces);
    /// Like write(), but without a coroutine, if the socket accepts everything at once. Otherwise nullopt;
    /// then `pieces` must stay valid, and nothing else be written, until flush() has ended.
    std::optional<bool> write_now(std::span<const std::string_view> pieces);
    Task<bool> flush();
    /// Ends the body; `last` is sent in the same write as the end mark.
    Task<bool> finish(std::string_view last = {});
    Task<bool> finish(std::span<const std::string_view> last);
    /// Closes the connection (HTTP/2: resets the stream) without a proper end, which the client can see;
    /// on_gone is not called.
    void abort();

    /// Before an answer: it is the connection's last (HTTP/2: then GOAWAY, and what is under way ends).
    void end_connection();

    [[nodiscard]] bool started() const noexcept;      ///< the answer's first byte may have been sent
    [[nodiscard]] bool client_gone() const noexcept;  ///< closed, reset or timed out
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept;
    /// Where its connection keeps what each write uses; empty: not in one place.
    [[nodiscard]] std::span<const std::byte> place_of_writing() const noexcept;
    /// Calls `callback` (once) on this thread if the client leaves while the handler is running, or at once,
    /// before on_gone returns, if it has left already. An empty function removes it.
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

    /// Calls the handler as soon as a request's head is complete. Before listen().
    void hand_over_heads() noexcept;
    /// Reserves descriptors for connections that arrive when the process has no others left.
    void keep_descriptors(std::size_t count);
    /// Called with the system's error whenever a connection could not be accepted. Set before listen().
    void on_shortage(std::function<void(const std::error_code&)> callback);
    /// Called with what a handler threw; its client got a 500, or a truncated answer. Set before listen().
    void on_exception(std::function<void(const std::exception_ptr&)> callback);
    /// Called with the client's address and the reason whenever a client's certificate is refused, or missing
    /// where one is required. Set before listen().
    void on_refused_certificate(std::function<void(std::string_view peer, std::string_view why)> callback);
    /// For whatever starts from now on, also on open connections.
    void use_limits(const ServerLimits& limits) noexcept;
    /// TLS for all connections from now on: from PEM files, or shared by several Servers. Before listen(),
    /// and again after certificates were renewed.
    Result<void> use_tls(const std::string& cert_file, const std::string& key_file);
    void use_tls(TlsContext::Shared tls) noexcept;
    /// Binds exclusively, and starts to accept. Errors have host, port and reason.
    Result<void> listen(const Listen& where);
    /// Uses a socket that is listening already; may be called for several.
    Result<void> listen(FileDescriptor socket);
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::size_t connections() const noexcept;
    /// Call before the end: connections are still accepted, but each is closed after its answer (HTTP/2:
    /// GOAWAY). A load balancer has time to go elsewhere, and nothing is refused meanwhile.
    void announce_end();
    /// Accepts no more connections; open ones continue. Those waiting to be accepted are left to whoever
    /// shares the sockets.
    void stop_accepting();
    /// Accepts only connections that are waiting already; closes idle ones, and busy ones after their answers
    /// (HTTP/2: GOAWAY).
    void drain();
    /// Closes everything now.
    void close();

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace spillway::http
