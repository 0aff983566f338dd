#include "gateway/plain_machine.hpp"

#include <algorithm>

namespace spillway::gateway {

PlainAction PlainMachine::feed(std::string_view piece) {
    if (passing_) {
        now_ = piece;
        if (piece.empty()) return PlainAction::end;
        note_tail(piece);
        return PlainAction::pass;
    }
    if (piece.empty()) {
        now_ = held_;
        return PlainAction::whole;
    }
    if (length_ && held_.empty()) {
        if (piece.size() == *length_) {  // the usual case: all of it in one read, no copy
            now_ = piece;
            return PlainAction::whole;
        }
        if (*length_ <= limit_) held_.reserve(static_cast<std::size_t>(*length_));
    }
    held_.append(piece);
    if (held_.size() <= limit_) return PlainAction::hold;
    passing_ = true;
    now_ = held_;
    note_tail(held_);
    return PlainAction::pass;
}

std::size_t PlainMachine::would_hold(std::string_view piece) const noexcept {
    if (passing_ || piece.empty() || (held_.empty() && length_ == piece.size())) return 0;
    const std::size_t size = held_.size() + piece.size();
    return length_ ? std::max(size, static_cast<std::size_t>(*length_)) : size;
}

void PlainMachine::note_tail(std::string_view piece) {
    tail_.append(piece.substr(piece.size() - std::min(piece.size(), kTail)));
    if (tail_.size() > 2 * kTail) tail_.erase(0, tail_.size() - kTail);
}

}  // namespace spillway::gateway
