#pragma once
/// The implementation of an Exchange: a request, and the state of its answer, on an HTTP/1.1 connection or an
/// HTTP/2 stream. Internal to the http room.
/// Ownership: outlives its Exchange. Thread rule: its Loop's thread. Errors: as for Exchange.
#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/task.hpp"
#include "http/server.hpp"

namespace spillway::http {

/// Shared by the connections of a Server.
struct ServerShared {
    ServerLimits limits;
    Handler handler;
    bool heads_first = false;  // handlers read bodies themselves
    std::function<void(const std::exception_ptr&)> on_exception;
    /// A client's certificate was refused: by whom it came, and why.
    std::function<void(std::string_view peer, std::string_view why)> on_refused_certificate;
    bool last_answers = false;  ///< close each connection after its answer
};

class Responder {
public:
    Responder(const Responder&) = delete;
    Responder& operator=(const Responder&) = delete;
    virtual ~Responder() = default;

protected:
    explicit Responder(Loop& loop) : loop_(loop) {}

    /// Writes what precedes the handler's fields to out_head_.
    virtual void begin_head(unsigned status, std::optional<std::uint64_t> content_length) = 0;
    virtual Task<bool> write_pieces(std::span<const std::string_view> pieces, bool last) = 0;
    /// nullopt: it would block, and `pieces` are left for flush().
    virtual std::optional<bool> write_now(std::span<const std::string_view> pieces) = 0;
    virtual Task<bool> flush() = 0;
    virtual void abort() = 0;
    virtual void end_connection() {}
    /// Only while body_due_.
    virtual Task<BodyFault> read_body() = 0;

    [[nodiscard]] static Exchange exchange_of(Responder& responder) { return Exchange(responder); }

    Loop& loop_;
    RequestHead head_;
    std::string_view body_;
    std::string_view peer_;
    PeerCertificate* certificate_ = nullptr;  // the connection's
    Mono received_at_{};

    MemoryCharge charge_;  // for the body
    bool body_due_ = false;

    std::function<void()> on_gone_;
    std::string out_head_;
    std::uint64_t sent_ = 0;
    bool head_due_ = false;
    bool started_ = false;
    bool gone_ = false;  // the client left

    std::span<const std::byte> writing_;  // see Exchange::place_of_writing()

private:
    friend class Exchange;
};

/// Bodies up to this size are not charged: they arrive with their head.
inline constexpr std::size_t free_body = 4 * 1024;
/// The most that a request with this head may bring.
[[nodiscard]] inline std::size_t most_body(const RequestHead& head, const ServerLimits& limits) noexcept {
    const bool form = istarts_with(trim(head.fields.get("content-type")), "multipart/form-data");
    return form ? std::max(limits.max_body_bytes, limits.max_upload_bytes) : limits.max_body_bytes;
}
/// The charge for a body of unknown length that has grown to `size`, of at most `most`.
[[nodiscard]] inline std::size_t body_charge(std::size_t size, std::size_t most) noexcept {
    if (size <= free_body) return size;
    constexpr std::size_t step = 256 * 1024;
    return std::max(size, std::min((size / step + 1) * step, most));
}
/// Charges a body of `size` bytes. Uploads, larger than other bodies may be, leave half of the budget to
/// those.
[[nodiscard]] inline BodyFault charge_body(MemoryCharge& charge, std::size_t size,
                                           const ServerLimits& limits) noexcept {
    if (size <= free_body || limits.memory == nullptr) return BodyFault::none;
    const std::size_t kept = size > limits.max_body_bytes ? limits.memory->limit() / 2 : 0;
    if (kept > 0 && size > limits.memory->limit() - kept) return BodyFault::too_large;
    return charge.grow_to(limits.memory, size, kept) ? BodyFault::none : BodyFault::no_memory;
}

/// What a client is told that has too many connections.
inline constexpr std::string_view crowded_message =
    "There are too many connections from this address. Use those that are open.";
inline constexpr std::string_view crowded_code = "too_many_connections";
/// OpenAI's error JSON for a request that the server refuses.
[[nodiscard]] std::string refusal_body(unsigned status, std::string_view message, std::string_view code);

}  // namespace spillway::http
