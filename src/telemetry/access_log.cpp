#include "telemetry/access_log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/block_signals.hpp"

namespace spillway::telemetry {
namespace {

constexpr int kPollMs = 100;
constexpr int kStopPolls = 10;
/// With so many buffers unwritten the writer thread may be waiting for this thread's processor.
constexpr std::size_t kYieldAt = 4;
/// poll() promises room for this much in a pipe (PIPE_BUF), so such a write does not block.
constexpr std::size_t kPipeChunk = 4096;

int open_file(const std::string& path) {
    if (path == "-") return ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

}  // namespace

AccessLog::AccessLog(std::string path, AccessLogOptions options) : path_(std::move(path)), options_(options) {
    const int fd = open_file(path_);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "access log " + path_);
    use_file(fd);
    queue_.reserve(options_.max_buffers);
    free_.reserve(options_.max_buffers);
    thread_ = std::thread([this] { run(); });
}

AccessLog::~AccessLog() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
    ::close(fd_);
}

void AccessLog::use_file(int fd) {
    struct stat info {};
    may_block_ = ::fstat(fd, &info) == 0 && !S_ISREG(info.st_mode);
    fd_ = fd;
    torn_ = false;
}

void AccessLog::reopen() {
    {
        const std::lock_guard lock(mutex_);
        ++reopen_wanted_;
    }
    wake_.notify_one();
}

void AccessLog::sync() {
    std::unique_lock lock(mutex_);
    const std::uint64_t buffers = handed_;
    const std::uint64_t reopens = reopen_wanted_;
    done_.wait(lock, [&] { return finished_ >= buffers && reopen_done_ >= reopens; });
}

AccessLog::Stats AccessLog::stats() const noexcept {
    return {written_lines_.load(std::memory_order_relaxed), dropped_lines_.load(std::memory_order_relaxed),
            write_errors_.load(std::memory_order_relaxed), reopens_.load(std::memory_order_relaxed)};
}

void AccessLog::hand_over(Buffer& buffer) {
    bool queued = false;
    {
        const std::lock_guard lock(mutex_);
        queued = unwritten_.load(std::memory_order_relaxed) < options_.max_buffers;
        if (queued) {
            queue_.push_back(std::exchange(buffer, Buffer{}));
            ++handed_;
            unwritten_.fetch_add(1, std::memory_order_relaxed);
            if (!free_.empty()) {
                buffer = std::move(free_.back());
                free_.pop_back();
            }
        }
    }
    if (queued)
        wake_.notify_one();
    else
        drop(buffer.lines);
    buffer.text.clear();
    buffer.lines = 0;
    if (unwritten_.load(std::memory_order_relaxed) >= kYieldAt) std::this_thread::yield();
}

void AccessLog::drop(std::uint64_t lines) {
    dropped_lines_.fetch_add(lines, std::memory_order_relaxed);
    health_.fails("it takes nothing any more, or too slowly");
}

void AccessLog::run() {
    block_signals();
    std::vector<Buffer> batch;
    batch.reserve(options_.max_buffers);
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [&] { return stop_ || !queue_.empty() || reopen_done_ != reopen_wanted_; });
        if (queue_.empty() && reopen_done_ == reopen_wanted_) return;
        batch.swap(queue_);
        const std::uint64_t reopens = reopen_wanted_;
        lock.unlock();
        if (reopens != reopen_done_) open_again();
        for (Buffer& buffer : batch) {
            write_out(buffer);
            const std::lock_guard relock(mutex_);
            free_.push_back(std::move(buffer));
            ++finished_;
            unwritten_.fetch_sub(1, std::memory_order_relaxed);
            done_.notify_all();
        }
        batch.clear();
        lock.lock();
        reopen_done_ = reopens;
        done_.notify_all();
    }
}

void AccessLog::open_again() {
    if (path_ == "-") return;
    const int fd = open_file(path_);
    if (fd < 0) {
        health_.fails(std::generic_category().message(errno));
        write_errors_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    health_.works();
    ::close(fd_);
    use_file(fd);
    reopens_.fetch_add(1, std::memory_order_relaxed);
}

/// False when the log is being shut down and the reader has stood still for a second in all.
bool AccessLog::wait_writable() {
    while (stalls_ < kStopPolls) {
        pollfd p{fd_, POLLOUT, 0};
        if (::poll(&p, 1, kPollMs) != 0) return true;
        if (stop_) ++stalls_;
    }
    return false;
}

/// How much of `text` was written before an error or the end of patience.
std::size_t AccessLog::write_all(std::string_view text) {
    std::size_t done = 0;
    while (done < text.size()) {
        errno = 0;
        if (may_block_ && !wait_writable()) return done;
        const std::size_t most = may_block_ ? std::min(text.size() - done, kPipeChunk) : text.size() - done;
        const ssize_t n = ::write(fd_, text.data() + done, most);
        if (n > 0)
            done += static_cast<std::size_t>(n);
        else if (n == 0 || (errno != EINTR && errno != EAGAIN))
            return done;
    }
    return done;
}

void AccessLog::write_out(const Buffer& buffer) {
    if (torn_ && write_all("\n") == 1) torn_ = false;
    const std::size_t done = torn_ ? 0 : write_all(buffer.text);
    if (done > 0) torn_ = buffer.text[done - 1] != '\n';
    const auto lost = static_cast<std::uint64_t>(
        std::count(buffer.text.begin() + static_cast<std::ptrdiff_t>(done), buffer.text.end(), '\n'));
    written_lines_.fetch_add(buffer.lines - lost, std::memory_order_relaxed);
    if (done == buffer.text.size()) {
        if (unwritten_.load(std::memory_order_relaxed) <= 1) health_.works();
        return;
    }
    health_.fails(std::generic_category().message(errno == 0 ? ENOSPC : errno));
    dropped_lines_.fetch_add(lost, std::memory_order_relaxed);
    write_errors_.fetch_add(1, std::memory_order_relaxed);
}

AccessLog::Writer::Writer(AccessLog& log) : log_(&log) {
    buffer_.text.reserve(log.options_.buffer_bytes + kMaxLogField * 8);
}

AccessLog::Writer::Writer(Writer&& other) noexcept
    : log_(std::exchange(other.log_, nullptr)),
      buffer_(std::exchange(other.buffer_, Buffer{})),
      stamp_(std::move(other.stamp_)) {}

AccessLog::Writer::~Writer() {
    if (log_ != nullptr) flush();
}

void AccessLog::Writer::write(const AccessRecord& record) {
    append_access_line(buffer_.text, record, stamp_);
    ++buffer_.lines;
    if (buffer_.text.size() >= log_->options_.buffer_bytes) flush();
}

void AccessLog::Writer::flush() {
    if (buffer_.lines != 0) log_->hand_over(buffer_);
}

}  // namespace spillway::telemetry
