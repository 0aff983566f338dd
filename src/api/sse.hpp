#pragma once
/// Splits a byte stream into server-sent events (WHATWG HTML §9.2.5, §9.2.6) without copying: an event that
/// lies in one chunk is viewed there; only one cut by a chunk's end is carried over.
/// Chunks may end anywhere. Every byte fed is in exactly one event's `raw`, in order: all raws and then
/// pending() are the input. (A "\n" that follows, in the next chunk, an event already ended by "\r" begins
/// the next event's raw; as a blank line it means nothing.)
///
/// Ownership: views hold until the next call of next() or feed(), and no longer than the chunk.
/// Thread rule: one splitter per stream, one thread at a time.
#include <cstddef>
#include <string>
#include <string_view>

namespace spillway::api {

struct SseEvent {
    std::string_view raw;    ///< all bytes, the blank line included
    std::string_view event;  ///< the last `event:` field; empty: "message"
    std::string_view data;   ///< `data:` lines joined by '\n'
    bool has_data = false;   ///< false: comments, blank lines or other fields only
};

class SseSplitter {
public:
    static constexpr std::size_t default_max_event = std::size_t{4} << 20U;
    explicit SseSplitter(std::size_t max_event_bytes = default_max_event) : max_event_(max_event_bytes) {}

    /// Takes the next chunk, which must stay readable until next() has returned false.
    void feed(std::string_view chunk);
    /// The next whole event; false when more input is needed, or after too_large().
    [[nodiscard]] bool next(SseEvent& out);

    /// Bytes of the event not yet ended. Exact once next() has returned false.
    [[nodiscard]] std::string_view pending() const noexcept {
        return carry_used_ ? std::string_view{} : carry_;
    }
    /// An event grew beyond the limit: no more events; pending() holds that event and all that follows
    /// of its chunk, later chunks are dropped.
    [[nodiscard]] bool too_large() const noexcept { return too_large_; }
    void reset() noexcept;

private:
    [[nodiscard]] std::size_t find_end() noexcept;
    void parse(SseEvent& out);
    void fail();

    std::size_t max_event_;
    std::string_view chunk_;     // not yet split
    std::string carry_;          // the begin of an event from earlier chunks
    std::string joined_;         // data of several lines
    std::string leftover_;       // a chunk that was fed before the last one was drained
    bool carry_used_ = false;    // carry_ was handed out whole: drop it at the next call
    bool at_line_start_ = true;  // nothing of the current line seen
    bool after_cr_ = false;      // last byte was '\r': a '\n' now belongs to it
    bool first_event_ = true;    // a byte order mark may come
    bool too_large_ = false;
};

}  // namespace spillway::api
