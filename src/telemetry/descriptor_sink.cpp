#include "telemetry/descriptor_sink.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace spillway::telemetry {
namespace {

/// poll() promises room for so much in a pipe (PIPE_BUF), so that such a write does not block.
constexpr std::size_t kPiece = 4096;
constexpr int kLastPatienceMs = 500;

}  // namespace

DescriptorSink::~DescriptorSink() {
    static_cast<void>(write_kept(kLastPatienceMs));
}

std::size_t DescriptorSink::write_some(std::string_view text, int patience_ms) const noexcept {
    std::size_t done = 0;
    while (done < text.size()) {
        pollfd p{fd_, POLLOUT, 0};
        if (::poll(&p, 1, patience_ms) <= 0) return done;
        const ssize_t n = ::write(fd_, text.data() + done, std::min(text.size() - done, kPiece));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) return text.size();  // nobody will ever read it
        if (n <= 0) return done;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

bool DescriptorSink::write_kept(int patience_ms) {
    kept_.erase(0, write_some(kept_, patience_ms));
    if (!kept_.empty()) return false;
    if (dropped_ > 0) {
        kept_ = fmt::format("({} lines of this log are missing: its reader stood still)\n", dropped_);
        dropped_ = 0;
        kept_.erase(0, write_some(kept_, patience_ms));
    }
    return kept_.empty();
}

void DescriptorSink::sink_it_(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const std::string_view text(line.data(), line.size());
    const std::size_t done = write_kept(0) ? write_some(text, 0) : 0;
    if (done == text.size()) return;
    if (kept_.size() + text.size() > kMostKept && done == 0)
        ++dropped_;
    else
        kept_.append(text.substr(done));
}

void DescriptorSink::flush_() {
    static_cast<void>(write_kept(0));
}

}  // namespace spillway::telemetry
