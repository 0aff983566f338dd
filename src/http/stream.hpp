#pragma once
/// A byte stream over a Transport, driven by the Loop: reading is tried when there is something to read, and
/// takes its buffer then; writing waits for room.
///
/// Ownership: a member of its StreamUser; owns its Transport. Thread rule: its Loop's thread; one read and
/// one write at a time.
#include <functional>
#include <memory>
#include <span>

#include "base/event.hpp"
#include "base/poller.hpp"
#include "base/task.hpp"
#include "http/transport.hpp"

namespace spillway::http {

/// What a Stream reads for.
class StreamUser {
public:
    StreamUser() = default;
    StreamUser(const StreamUser&) = delete;
    StreamUser& operator=(const StreamUser&) = delete;
    virtual ~StreamUser() = default;

    /// Where the next bytes go.
    virtual std::span<char> read_space() = 0;
    /// There was nothing to read after all: the space is not used.
    virtual void unread() = 0;
    /// The end of what start_read() began. May destroy the stream.
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

    /// Once, before all else.
    void open(std::unique_ptr<Transport> transport, std::error_code& ec);
    [[nodiscard]] bool is_open() const noexcept { return transport_ != nullptr; }
    [[nodiscard]] Transport* transport() noexcept { return transport_.get(); }
    /// Of TLS; ends with an error if close() is called meanwhile.
    Task<std::error_code> handshake();

    /// Begins to read, unless it does so already. StreamUser::did_read() may come before this returns.
    void start_read();
    /// Ends a read that was begun with IoError::cancelled, from the event loop.
    void cancel_read();
    [[nodiscard]] bool reading() const noexcept { return reading_; }
    /// Are there bytes that were not read yet? As far as that shows at once.
    [[nodiscard]] bool has_input() const noexcept { return transport_ && transport_->has_input(); }
    /// What the next bytes are about, see Poller; at first what it was made for.
    void expect(EventClass events) noexcept;

    /// Writes what the socket takes at once; how much that was. Nothing when it would wait (no error then):
    /// write() does the rest.
    std::size_t write_now(Buffers buffers, std::error_code& ec);
    /// Writes all, and calls `progress` whenever some went out.
    Task<Written> write(Buffers buffers, std::function<void()> progress);

    /// Says that nothing more will be written.
    void end_writing() noexcept {
        if (transport_) transport_->end_writing();
    }
    /// Ends all that is under way with an error, from the event loop; safe to repeat.
    void close() noexcept { drop(false); }
    /// As close(), but the peer sees a reset, so that it cannot take the cut for a proper end.
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
    bool full_ = false;      ///< took no more, and has not told since that there is room
    bool readable_ = false;  ///< as far as is known
    bool ended_ = false;     ///< see Ready
    bool cancelled_ = false;
    Event writable_;
};

}  // namespace spillway::http
