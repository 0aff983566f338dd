#pragma once
/// Splits a byte stream into server-sent events (WHATWG HTML §9.2.5, §9.2.6) without copying: an event within
/// one chunk is viewed there; only an event split by the end of a chunk is copied.
/// Chunks may end anywhere. Every byte fed is in the `raw` of exactly one event, in order: all raws followed
/// by pending() are the input. (If a chunk ends an event with "\r" and the next one starts with "\n", that
/// "\n" begins the next event's raw, where it is a blank line without effect.)
///
/// Ownership: views are valid until the next call of next() or feed(), and no longer than the chunk.
/// Thread rule: one splitter per stream, one thread at a time. Errors: too_large().
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

    /// Adds the next chunk, which must stay valid until next() has returned false.
    void feed(std::string_view chunk);
    /// The next complete event; false if more input is needed, or after too_large().
    [[nodiscard]] bool next(SseEvent& out);

    /// Bytes of the incomplete event. Exact once next() has returned false.
    [[nodiscard]] std::string_view pending() const noexcept {
        return carry_used_ ? std::string_view{} : carry_;
    }
    /// An event exceeded the limit: there are no more events; pending() is that event and the rest of its
    /// chunk, and later chunks are dropped.
    [[nodiscard]] bool too_large() const noexcept { return too_large_; }
    void reset() noexcept;

private:
    [[nodiscard]] std::size_t find_end() noexcept;
    void parse(SseEvent& out);
    void fail();

    // What every event uses comes first.
    std::size_t max_event_;
    std::string_view chunk_;     // not yet split
    bool carry_used_ = false;    // carry_ was returned as a whole: drop it at the next call
    bool at_line_start_ = true;  // nothing of the current line seen
    bool after_cr_ = false;      // the last byte was '\r': a '\n' now belongs to it
    bool first_event_ = true;    // may start with a byte order mark
    bool too_large_ = false;
    std::string carry_;     // the start of an event, from earlier chunks
    std::string joined_;    // data of several lines
    std::string leftover_;  // a chunk that was fed before the last one was drained
};

}  // namespace spillway::api
