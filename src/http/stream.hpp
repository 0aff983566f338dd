#pragma once
/// A byte stream over a Transport, driven by the Loop: it reads when there is something to read, and gets its
/// buffer only then; writing waits for room.
///
/// Ownership: a member of its StreamUser; owns its Transport. Thread rule: its Loop's thread; one read and
/// one write at a time. Errors: std::error_code.
#include <functional>
#include <memory>
#include <span>

#include "base/event.hpp"
#include "base/poller.hpp"
#include "base/task.hpp"
#include "http/transport.hpp"

namespace spillway::http {

/// The reader of a Stream.
class StreamUser {
public:
    StreamUser() = default;
    StreamUser(const StreamUser&) = delete;
    StreamUser& operator=(const StreamUser&) = delete;
    virtual ~StreamUser() = default;

    /// Where the next bytes go.
    virtual std::span<char> read_space() = 0;
    /// There was nothing to read after all: the space was not used.
    virtual void unread() = 0;
    /// The end of a start_read(). May destroy the stream.
    virtual void did_read(const std::error_code& ec, std::size_t n) = 0;
};

class Stream final : private Watcher {
public:
    struct Written {
        std::error_code ec;
        std::size_t n = 0;
    };

    Stream(Loop& loop, StreamUser& user, EventClass events);
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream();

    /// Once, before anything else.
    void open(std::unique_ptr<Transport> transport, std::error_code& ec);
    [[nodiscard]] bool is_open() const noexcept { return transport_ != nullptr; }
    [[nodiscard]] Transport* transport() noexcept { return transport_.get(); }
    /// TLS's handshake; ends with an error if close() is called meanwhile.
    Task<std::error_code> handshake();

    /// Starts to read, unless already reading. May call StreamUser::did_read() before it returns.
    void start_read();
    /// Ends a pending read with IoError::cancelled, from the event loop.
    void cancel_read();
    [[nodiscard]] bool reading() const noexcept { return reading_; }
    /// Whether there are unread bytes, as far as known without a system call.
    [[nodiscard]] bool has_input() const noexcept { return transport_ && transport_->has_input(); }
    /// Sets the class of the next event (see Poller); initially that of the constructor.
    void expect(EventClass events) noexcept;

    /// Writes what the socket accepts at once, and returns how much that was: 0 without an error if it would
    /// block. write() does the rest.
    std::size_t write_now(Buffers buffers, std::error_code& ec);
    /// Writes everything, and calls `progress` whenever some was sent.
    Task<Written> write(Buffers buffers, std::function<void()> progress);

    /// Declares that nothing more will be written.
    void end_writing() noexcept {
        if (transport_) transport_->end_writing();
    }
    /// Ends everything pending with an error, from the event loop; may be repeated.
    void close() noexcept { drop(false); }
    /// Like close(), but the peer sees a reset, and so no proper end.
    void reset() noexcept { drop(true); }

private:
    void on_ready(Ready ready) override;
    void on_turn() override;
    void read();
    void drop(bool reset) noexcept;

    void choose_turn() noexcept { set_class(writing_ ? EventClass::work_under_way : expected_); }

    StreamUser& user_;
    Poller& poller_;
    std::unique_ptr<Transport> transport_;  ///< while it is open
    unsigned in_turn_ = 0;                  ///< reads since the event loop ran
    EventClass expected_;
    bool reading_ = false;
    bool writing_ = false;   ///< waits for room, or for a step of the handshake
    bool full_ = false;      ///< accepted no more, and has not reported room since
    bool readable_ = false;  ///< as far as known
    bool ended_ = false;     ///< see Ready
    bool cancelled_ = false;
    Event writable_;
};

}  // namespace spillway::http
