// How a ServerConnection writes answers.
#include <charconv>

#include "base/task.hpp"
#include "http/server_connection.hpp"

namespace spillway::http {

Task<bool> ServerConnection::send(Buffers buffers) {
    if (dead_) co_return false;
    expiry_ = Expiry::close;
    wheel_.arm(timeout_, limits_.write_timeout);
    std::function<void()> progress = [this] { wheel_.arm(timeout_, limits_.write_timeout); };
    const auto written = co_await stream_.write(buffers, std::move(progress));
    timeout_.disarm();
    sent_ += written.n;
    if (written.ec) gone_ = dead_ = true;
    co_return !written.ec;
}

/// Ends an unfinished answer so that the client cannot take it for a whole one.
void ServerConnection::cut() noexcept {
    dead_ = true;
    if (framing_ == Framing::until_close)
        stream_.reset();
    else
        stream_.close();
}

void ServerConnection::begin_head(unsigned status, std::optional<std::uint64_t> content_length) {
    append_status_line(out_head_, status);
    // RFC 9110 §6.4.1: no content whatever the fields say; §8.6: no Content-Length in 1xx and 204.
    const bool lengthless = status == 204 || status < 200;
    const bool bodiless = lengthless || status == 304 || head_.method == "HEAD";
    body_left_ = content_length.value_or(0);
    if (content_length) {
        framing_ = Framing::length;
        if (!lengthless && (status != 304 || *content_length > 0)) {
            char digits[24];
            const auto end = std::to_chars(digits, digits + sizeof digits, *content_length).ptr;
            append_field(out_head_, "Content-Length", {digits, static_cast<std::size_t>(end - digits)});
        }
    } else if (bodiless) {
        // The answer to HEAD need not declare the framing of what is not sent (RFC 9110 §9.3.2).
    } else if (head_.version >= 11) {
        framing_ = Framing::chunked;
        out_head_.append("Transfer-Encoding: chunked\r\n");
    } else {
        framing_ = Framing::until_close;
        close_after_ = true;
    }
    if (bodiless) {
        framing_ = Framing::none;
        body_left_ = 0;
    }
    if (draining_ || shared_->last_answers || (body_due_ && !is_short())) close_after_ = true;
    if (close_after_)
        out_head_.append("Connection: close\r\n");
    else if (head_.version < 11)
        out_head_.append("Connection: keep-alive\r\n");
}

std::optional<bool> ServerConnection::start_write(std::span<const std::string_view> pieces, bool last) {
    // A client which closed its sending side may still listen: an answer that is ready whole is tried.
    if (dead_ || finished_ || (gone_ && (started_ || !last))) return false;
    out_.clear();
    if (head_due_) {
        out_head_.append("\r\n");
        out_.push_back(out_head_);
        head_due_ = false;
    }
    std::size_t size = 0;
    if (framing_ != Framing::none)
        for (const std::string_view piece : pieces) size += piece.size();
    if (framing_ == Framing::length &&
        size > body_left_) {  // the handler's mistake: do not corrupt the stream
        cut();
        return false;
    }
    const bool chunked = framing_ == Framing::chunked;
    if (size > 0) {
        if (chunked) {
            auto* end = std::to_chars(chunk_line_.data(), chunk_line_.data() + 17, size, 16).ptr;
            *end++ = '\r';
            *end++ = '\n';
            out_.emplace_back(chunk_line_.data(), static_cast<std::size_t>(end - chunk_line_.data()));
        }
        for (const std::string_view piece : pieces)
            if (!piece.empty()) out_.push_back(piece);
        if (chunked && !last) out_.push_back("\r\n");
        if (framing_ == Framing::length) body_left_ -= size;
    }
    if (last && chunked) out_.push_back(size > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
    if (out_.empty()) return true;
    started_ = true;
    return send_now();
}

/// The usual case: the socket takes all of it.
std::optional<bool> ServerConnection::send_now() {
    const Buffers all(out_.data(), out_.size());
    std::error_code ec;
    const std::size_t n = stream_.write_now(all, ec);
    sent_ += n;
    if (ec) {
        gone_ = dead_ = true;
        return false;
    }
    unsent_ = behind(all, n);
    if (unsent_.empty()) return true;
    return std::nullopt;
}

Task<bool> ServerConnection::write_pieces(std::span<const std::string_view> pieces, bool last) {
    auto written = start_write(pieces, last);
    if (!written) written = co_await flush();
    // A body shorter than its Content-Length was not finished: the connection is cut.
    if (last && *written) finished_ = body_left_ == 0;
    co_return *written;
}

std::optional<bool> ServerConnection::write_now(std::span<const std::string_view> pieces) {
    return start_write(pieces, false);
}

Task<bool> ServerConnection::flush() {
    return send(unsent_);
}

void ServerConnection::abort() {
    started_ = aborted_ = true;
    cut();
}

}  // namespace spillway::http
