#pragma once
/// A TCP or TLS byte stream behind one type, so that what reads and writes HTTP is not a template.
///
/// Plain sockets are watched by the Poller: reading is tried when there is something to read, and takes its
/// buffer then. TLS is Asio's, and holds a buffer while it waits.
///
/// Ownership: a member of its StreamUser; owns its socket. Thread rule: its io_context's thread; one read and
/// one write at a time.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "http/asio_stream.hpp"
#include "http/event.hpp"
#include "http/poller.hpp"

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
    virtual void did_read(const boost::system::error_code& ec, std::size_t n) = 0;
    /// The io_context goes down, and nothing will be read.
    virtual void abandon() = 0;
    /// Keeps it alive while an operation of Asio's is under way.
    virtual std::shared_ptr<StreamUser> self() = 0;
};

class Stream final : private Watch {
public:
    using Socket = AsioStream::Socket;
    using Tls = AsioStream::Tls;
    /// The buffers of one gathered write; what they are in lives until it ends.
    using Buffers = std::span<asio::const_buffer>;
    struct Written {
        boost::system::error_code ec;
        std::size_t n = 0;
    };

    /// What is left of `buffers`, whose first `n` bytes went out.
    [[nodiscard]] static Buffers behind(Buffers buffers, std::size_t n) noexcept {
        std::size_t i = 0;
        while (i < buffers.size() && n >= buffers[i].size()) n -= buffers[i++].size();
        buffers = buffers.subspan(i);
        if (n > 0) buffers.front() += n;
        return buffers;
    }

    Stream(Socket socket, asio::io_context& context, StreamUser& user, News news);
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream();

    /// Puts TLS on top of the connected socket; the handshake is the caller's.
    Tls& wrap(asio::ssl::context& context) { return asio_->wrap(context); }
    /// The connected socket is to be used as it is.
    void use_plain(boost::system::error_code& ec);
    /// Asio's, until use_plain().
    [[nodiscard]] Socket& socket() noexcept { return asio_->socket(); }
    [[nodiscard]] Tls* tls() noexcept { return asio_ ? asio_->tls() : nullptr; }

    /// Begins to read, unless it does so already. StreamUser::did_read() may come before this returns.
    void start_read();
    /// Ends a read that was begun with operation_aborted, from the event loop.
    void cancel_read();
    [[nodiscard]] bool reading() const noexcept { return reading_; }
    /// Are there bytes that were not read yet? As far as that shows without TLS.
    [[nodiscard]] bool has_input() const noexcept;
    /// What the next bytes are about, see Poller; at first what it was made for.
    void expect(News news) noexcept;
    /// Is a read under way that writes into its space at any time?
    [[nodiscard]] bool holds_space() const noexcept { return reading_ && fd_ < 0 && asio_; }

    /// Writes what the socket takes at once, in one system call; how much that was. Nothing when it would
    /// wait (no error then), or with TLS, which has a state of its own: write() does the rest.
    std::size_t write_now(Buffers buffers, boost::system::error_code& ec);
    /// Writes all, and calls `progress` whenever some went out.
    asio::awaitable<Written> write(Buffers buffers, std::function<void()> progress);

    /// Says that nothing more will be written.
    void end_writing() noexcept;
    /// Ends all that is under way with an error, from the event loop; safe to repeat.
    void close() noexcept;
    /// As close(), but the peer sees a reset, so that it cannot take the cut for a proper end.
    void reset() noexcept;

private:
    template <class Owner, auto Method>
    friend class Completion;

    void on_ready(Ready ready) override;
    void on_turn() override;
    void abandon() override;
    void read();
    void did_asio_read(const boost::system::error_code& ec, std::size_t n);
    void drop() noexcept;

    void choose_turn() noexcept { set_news(writing_ ? News::work_under_way : expected_); }

    // What each read and write looks at comes first.
    StreamUser& user_;
    Poller& poller_;
    int fd_ = -1;           ///< of a plain stream
    unsigned in_turn_ = 0;  ///< reads since the event loop ran
    News expected_;
    bool reading_ = false;
    bool writing_ = false;   ///< waits for room
    bool full_ = false;      ///< took no more, and has not told since that there is room
    bool readable_ = false;  ///< as far as is known
    bool ended_ = false;     ///< see Ready
    bool cancelled_ = false;
    Event writable_;
    std::optional<AsioStream> asio_;  ///< unless it is plain
};

}  // namespace spillway::http
