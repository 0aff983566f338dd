#include "api/sse.hpp"

#include "api/byte_scan.hpp"

namespace spillway::api {
namespace {

constexpr std::size_t none = std::string_view::npos;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

/// Takes a line off the front of `text`, without its end.
std::string_view next_line(std::string_view& text) noexcept {
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const char* const stop = find_line_end(begin, end);
    const std::string_view line(begin, static_cast<std::size_t>(stop - begin));
    std::size_t used = line.size();
    if (stop != end) used += end - stop > 1 && stop[0] == '\r' && stop[1] == '\n' ? 2 : 1;
    text.remove_prefix(used);
    return line;
}

}  // namespace

void SseSplitter::feed(std::string_view chunk) {
    if (too_large_) return;
    if (chunk_.empty()) {
        chunk_ = chunk;
        return;
    }
    // Not drained: join what is left with what comes.
    std::string both;
    both.reserve(chunk_.size() + chunk.size());
    both.append(chunk_).append(chunk);
    leftover_ = std::move(both);
    chunk_ = leftover_;
}

std::size_t SseSplitter::find_end() noexcept {
    const char* const begin = chunk_.data();
    const char* const end = begin + chunk_.size();
    for (const char* p = begin; p != end;) {
        if (after_cr_) {
            after_cr_ = false;
            if (*p == '\n') {
                ++p;
                continue;
            }
        }
        const char* const stop = find_line_end(p, end);
        const bool blank = at_line_start_ && stop == p;
        at_line_start_ = stop != end;
        if (stop == end) break;
        p = stop + 1;
        if (*stop == '\r') {
            if (p == end)
                after_cr_ = true;
            else if (*p == '\n')
                ++p;
        }
        if (blank) return static_cast<std::size_t>(p - begin);
    }
    return none;
}

bool SseSplitter::next(SseEvent& out) {
    out = {};
    if (carry_used_) {
        carry_.clear();
        carry_used_ = false;
    }
    if (too_large_ || chunk_.empty()) return false;
    const std::size_t end = find_end();
    const std::size_t taken = end == none ? chunk_.size() : end;
    if (taken > max_event_ || carry_.size() > max_event_ - taken) {
        fail();
        return false;
    }
    if (end == none) {
        carry_.append(chunk_);
        chunk_ = {};
        return false;
    }
    if (carry_.empty()) {
        out.raw = chunk_.substr(0, end);
    } else {
        carry_.append(chunk_.substr(0, end));
        carry_used_ = true;
        out.raw = carry_;
    }
    chunk_.remove_prefix(end);
    parse(out);
    return true;
}

void SseSplitter::parse(SseEvent& out) {
    std::string_view text = out.raw;
    if (first_event_ && text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    first_event_ = false;
    bool several = false;
    while (!text.empty()) {
        const std::string_view line = next_line(text);
        const std::size_t colon = line.find(':');
        const std::string_view field = line.substr(0, colon);
        std::string_view value = colon == none ? std::string_view{} : line.substr(colon + 1);
        if (value.starts_with(' ')) value.remove_prefix(1);
        if (field == "event") out.event = value;
        if (field != "data") continue;
        if (!out.has_data) {
            out.data = value;
        } else {
            if (!several) joined_.assign(out.data);
            several = true;
            joined_.append(1, '\n').append(value);
        }
        out.has_data = true;
    }
    if (several) out.data = joined_;
}

void SseSplitter::fail() {
    too_large_ = true;
    carry_.append(chunk_);
    chunk_ = {};
}

void SseSplitter::reset() noexcept {
    chunk_ = {};
    carry_.clear();
    joined_.clear();
    leftover_.clear();
    carry_used_ = false;
    at_line_start_ = true;
    after_cr_ = false;
    first_event_ = true;
    too_large_ = false;
}

}  // namespace spillway::api
