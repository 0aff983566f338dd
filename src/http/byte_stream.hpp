#pragma once
/// A connection for coroutines that speak another protocol than HTTP, or only a little HTTP.
///
///     const auto got = co_await stream.read_some(space);   // got.ec, got.n
///
/// Ownership: destroyed before its Loop. Thread rule: the loop's; one read and one write at a time.
#include <memory>
#include <span>

#include "base/event.hpp"
#include "base/task.hpp"
#include "http/stream.hpp"

namespace spillway::http {

class ByteStream final : private StreamUser {
public:
    using Read = Stream::Written;

    explicit ByteStream(Loop& loop) : stream_(loop, *this, EventClass::work_under_way) {}

    [[nodiscard]] std::error_code open(std::unique_ptr<Transport> transport) {
        std::error_code ec;
        stream_.open(std::move(transport), ec);
        return ec;
    }
    [[nodiscard]] bool is_open() noexcept { return stream_.transport() != nullptr; }
    [[nodiscard]] Transport* transport() noexcept { return stream_.transport(); }

    Task<std::error_code> handshake() { return stream_.handshake(); }
    /// Reads what is available, at least a byte. An abandoned read continues: the next one gets its bytes.
    Task<Read> read_some(std::span<char> space) {
        space_ = space;
        done_.reset();
        stream_.start_read();
        while (!done_.is_set()) co_await done_.wait();
        co_return got_;
    }
    Task<std::error_code> write(std::string_view bytes) {
        const auto written = co_await stream_.write(Buffers(&bytes, 1), [] {});
        co_return written.ec;
    }
    void end_writing() noexcept { stream_.end_writing(); }
    /// Ends what is in progress with IoError::cancelled.
    void close() noexcept { stream_.close(); }
    void reset() noexcept { stream_.reset(); }

private:
    std::span<char> read_space() override { return space_; }
    void unread() override {}
    void did_read(const std::error_code& ec, std::size_t n) override {
        got_ = {ec, n};
        done_.set_later();
    }

    Stream stream_;
    std::span<char> space_;
    Read got_;
    Event done_;
};

}  // namespace spillway::http
