#pragma once
/// The access log: one JSON line (RFC 8259) per request.
///
/// Each worker thread owns a Writer and serializes into the Writer's buffer. A full buffer (64 KiB), a nearly
/// full one at idle(), or any at flush(), goes to the one writer thread, which does the blocking write. In
/// steady state a request allocates nothing, and takes a lock only when a buffer is passed on. Call flush()
/// about every 100 ms and before the worker ends (the Writer's destructor does).
/// If the writer thread falls behind, whole buffers are dropped and their lines counted; a worker never
/// waits for a disk.
/// Units: times are Duration, printed as milliseconds with three decimals.
/// Ownership: the AccessLog must outlive its Writers. Records view data that write() reads before it returns.
/// Thread rule: AccessLog's functions from any thread; a Writer from one thread at a time.
/// Errors: the constructor throws std::system_error if the file cannot be opened; later failures (the
/// thread blocks all signals, so a closed pipe is EPIPE) are counted (stats().dropped_lines, .write_errors).
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "telemetry/health.hpp"
#include "telemetry/text.hpp"

namespace spillway::telemetry {

/// One attempt at one backend.
struct AttemptRecord {
    std::string_view backend;
    std::string_view reason;  ///< why it ended: "ok", "throttled", "connect", "timeout", …
    int status = 0;           ///< the backend's HTTP status; 0 if there was none
    Duration took{};
    std::string_view detail{};  ///< what exactly failed ("connection refused"); printed unless empty
};

struct AccessRecord {
    Wall time;  ///< when the request's head was complete
    std::string_view request_id;
    std::string_view client;          ///< the client's configured name, never its key
    std::string_view client_address;  ///< "ip:port"
    std::string_view method;
    std::string_view target;  ///< as received; query values are masked unless known to be harmless
    std::string_view operation;
    std::string_view deployment;
    std::string_view model;
    bool stream = false;
    std::string_view backend;  ///< the one that served it; empty: none
    std::span<const AttemptRecord> attempts;
    int status = 0;
    std::uint64_t tokens_in = 0;
    std::uint64_t tokens_out = 0;
    std::uint64_t tokens_cached = 0;
    bool tokens_known = false;  ///< from the answer's usage; else the counts are estimates
    std::uint64_t bytes_out = 0;
    std::optional<Duration> first_byte;  ///< nullopt if no byte was sent
    Duration total{};
    std::string_view outcome;  ///< "ok", "client_left", "stream_cut", "refused", …
};

/// The most bytes printed of any text field; the rest is cut, so that lines are bounded.
inline constexpr std::size_t kMaxLogField = 1024;

struct AccessLogOptions {
    std::size_t buffer_bytes = std::size_t{64} * 1024;  ///< pass a buffer on at this size
    std::size_t idle_bytes = std::size_t{48} * 1024;    ///< or at this size if both threads are idle
    std::size_t max_buffers = 256;                      ///< waiting for the writer thread, of all workers
};

/// Appends the record's line, with its line feed.
void append_access_line(std::string& out, const AccessRecord& record, Rfc3339& stamp);

class AccessLog {
public:
    struct Stats {
        std::uint64_t written_lines = 0;
        std::uint64_t dropped_lines = 0;  ///< queue full or write failed
        std::uint64_t write_errors = 0;
        std::uint64_t reopens = 0;
    };

    /// `path` "-" is standard output; a file is appended to, created with mode 0640.
    explicit AccessLog(std::string path, AccessLogOptions options = {});
    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;
    /// Writes what was passed on, then ends the writer thread. Waits at most one second for a pipe whose
    /// reader has stopped.
    ~AccessLog();

private:
    struct Buffer {
        std::string text;
        std::uint64_t lines = 0;
    };

public:
    class Writer {
    public:
        Writer(Writer&& other) noexcept;
        Writer& operator=(Writer&&) = delete;
        ~Writer();

        void write(const AccessRecord& record);
        /// Passes the buffer on, unless it is empty.
        void flush();
        /// Call when the thread has nothing to do: the writer thread then works now rather than compete
        /// later. (While it is busy it gets only full buffers, and so fewer.)
        void idle() {
            if (buffer_.text.size() >= log_->options_.idle_bytes && log_->rests()) flush();
        }

    private:
        friend class AccessLog;
        explicit Writer(AccessLog& log);
        AccessLog* log_;
        Buffer buffer_;
        Rfc3339 stamp_;
    };
    [[nodiscard]] Writer make_writer() { return Writer(*this); }

    /// Closes the file and opens it again before the next write (log rotation). Not async-signal-safe. If
    /// opening fails, the old file is kept and an error counted.
    void reopen();
    /// Waits until everything passed on before the call is written or counted as dropped.
    void sync();
    [[nodiscard]] Stats stats() const noexcept;
    /// A change of whether lines can be written, since the last call.
    [[nodiscard]] std::optional<Health::Change> change() { return health_.change(); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    /// Whether nothing waits to be written.
    [[nodiscard]] bool rests() const noexcept { return unwritten_.load(std::memory_order_relaxed) == 0; }
    void hand_over(Buffer& buffer);
    void drop(std::uint64_t lines);
    void run();
    void write_out(const Buffer& buffer);
    [[nodiscard]] bool wait_writable();
    [[nodiscard]] std::size_t write_all(std::string_view text);
    void use_file(int fd);
    void open_again();

    const std::string path_;
    const AccessLogOptions options_;
    int fd_ = -1;
    bool may_block_ = false;  ///< a pipe, socket or terminal, whose reader may stop
    int stalls_ = 0;          ///< waits without effect while shutting down; writer thread only
    bool torn_ = false;       ///< the last write ended inside a line; writer thread only

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::vector<Buffer> queue_;
    std::vector<Buffer> free_;
    std::uint64_t handed_ = 0;    ///< buffers ever queued
    std::uint64_t finished_ = 0;  ///< of these, written or dropped
    std::uint64_t reopen_wanted_ = 0;
    std::uint64_t reopen_done_ = 0;
    std::atomic<bool> stop_{false};
    std::atomic<std::size_t> unwritten_{0};  ///< buffers passed on and not written yet

    std::atomic<std::uint64_t> written_lines_{0};
    std::atomic<std::uint64_t> dropped_lines_{0};
    std::atomic<std::uint64_t> write_errors_{0};
    std::atomic<std::uint64_t> reopens_{0};
    Health health_;
    std::thread thread_;
};

}  // namespace spillway::telemetry
