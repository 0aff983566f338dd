#pragma once
/// Metrics and their Prometheus text exposition, format 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
///
/// Use: at start-up (or when a configuration is loaded) get a child from the Registry by name and labels, and
/// keep the reference; on the hot path call inc/add/observe on it. Those take no lock and allocate nothing:
/// every child has one cell per shard, a thread adds to the cell of the CPU it runs on (an OwnCount: to its
/// own), and render() sums them. No cache line has cells of two shards or of two families; a family's
/// children share lines, so that many of them fit into the cache.
/// Units: seconds, bytes and tokens by name suffix (`_seconds`, `_bytes`, `_total`), as Prometheus advises.
/// Ownership: the Registry owns all children; references are valid as long as it lives.
/// Thread rule: everything here may be called from any thread. Registration and render() take the
/// registry's lock, so callbacks run under it and must not use the registry.
/// Errors: a bad name, or a name used again with another type, help, label names or buckets, throws
/// std::invalid_argument (start-up).
/// Label values must come from a bounded set (configured names): beyond kMaxChildren of one family, new
/// label sets share one child whose label values are all "_other".
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cache_line.hpp"
#include "base/clock.hpp"

namespace spillway::telemetry {

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";
inline constexpr std::size_t kMaxChildren = 4096;

struct Label {
    std::string_view name;
    std::string_view value;
};
using Labels = std::initializer_list<Label>;

/// Bounds for request times, 1 ms to 2 min: LLM answers are slow, gateway overhead is not.
[[nodiscard]] std::span<const double> default_time_buckets() noexcept;

namespace detail {

/// The cell that the calling thread should use: that of its CPU. glibc reads it from the rseq area
/// without a system call; a thread that moves before it adds costs contention, never a count.
[[nodiscard]] std::size_t current_shard() noexcept;

using Cell = std::atomic<std::uint64_t>;

struct alignas(kCacheLine) CellLine {
    std::array<Cell, kCacheLine / sizeof(Cell)> cells{};
};

/// One count's cells: a view into its family's Cells.
class Sharded {
public:
    /// The cell at `place` of `line`, and of every `stride`-th line after it for further shards.
    Sharded(CellLine* line, std::size_t place, std::size_t stride, std::size_t shards) noexcept
        : line_(line), place_(place), stride_(stride), mask_(shards - 1) {}
    void add(std::uint64_t n) noexcept { at(current_shard()).fetch_add(n, std::memory_order_relaxed); }
    [[nodiscard]] Cell& at(std::size_t shard) const noexcept {
        return line_[(shard & mask_) * stride_].cells[place_];
    }
    [[nodiscard]] std::uint64_t sum() const noexcept {
        std::uint64_t total = 0;
        for (std::size_t i = 0; i <= mask_; ++i) total += at(i).load(std::memory_order_relaxed);
        return total;
    }

private:
    CellLine* line_;
    std::size_t place_;
    std::size_t stride_;
    std::size_t mask_;
};

/// The cells of a family: counts created one after the other are adjacent in each shard.
class Cells {
public:
    [[nodiscard]] Sharded add(std::size_t shards);

private:
    std::vector<std::unique_ptr<CellLine[]>> blocks_;
    std::size_t lines_ = 0;  ///< of the last block, for each shard
    std::size_t used_ = 0;   ///< cells of these
};

}  // namespace detail

/// Only increases.
class Counter {
public:
    explicit Counter(detail::Sharded cells) noexcept : cells_(cells) {}
    void inc(std::uint64_t n = 1) noexcept { cells_.add(n); }
    [[nodiscard]] std::uint64_t value() const noexcept { return cells_.sum(); }

private:
    friend class OwnCount;
    detail::Sharded cells_;
};

/// A thread's own cell of a Counter, which the thread keeps: for counters so numerous that finding the cell
/// costs more than adding to it.
class OwnCount {
public:
    OwnCount() = default;
    /// `shard` is the thread's Registry::own_shard().
    OwnCount(Counter& counter, std::size_t shard) noexcept : cell_(&counter.cells_.at(shard)) {}

    [[nodiscard]] explicit operator bool() const noexcept { return cell_ != nullptr; }
    void inc(std::uint64_t n = 1) noexcept {
        if (n > 0) cell_->fetch_add(n, std::memory_order_relaxed);
    }

private:
    detail::Cell* cell_ = nullptr;
};

/// A gauge changed by matching inc and dec from many threads (requests in flight, open connections).
class UpDown {
public:
    explicit UpDown(detail::Sharded cells) noexcept : cells_(cells) {}
    void inc(std::int64_t n = 1) noexcept { cells_.add(static_cast<std::uint64_t>(n)); }
    void dec(std::int64_t n = 1) noexcept { inc(-n); }
    [[nodiscard]] std::int64_t value() const noexcept { return static_cast<std::int64_t>(cells_.sum()); }

private:
    detail::Sharded cells_;  ///< modulo 2^64
};

/// A gauge that is set: a single atomic, not for the hot path of many threads.
class Gauge {
public:
    void set(double v) noexcept { value_.store(v, std::memory_order_relaxed); }
    void add(double v) noexcept { value_.fetch_add(v, std::memory_order_relaxed); }
    [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

/// Counts by ascending upper bounds (`le`), +Inf implied. Its owner owns the bounds.
class Histogram {
public:
    Histogram(std::span<const double> bounds, std::size_t shards);
    void observe(Duration d) noexcept { observe(to_seconds(d)); }
    /// NaN is ignored.
    void observe(double v) noexcept;

    struct Snapshot {
        std::vector<std::uint64_t> cumulative;  ///< one per bound, then +Inf (= count)
        double sum = 0;
        [[nodiscard]] std::uint64_t count() const noexcept { return cumulative.back(); }
    };
    [[nodiscard]] Snapshot snapshot() const;
    [[nodiscard]] std::span<const double> bounds() const noexcept { return bounds_; }

private:
    struct alignas(kCacheLine) Line {
        std::atomic<std::uint64_t> slots[kCacheLine / sizeof(std::uint64_t)]{};
    };
    [[nodiscard]] std::atomic<std::uint64_t>& slot(std::size_t shard, std::size_t i) const noexcept {
        constexpr std::size_t kPerLine = kCacheLine / sizeof(std::uint64_t);
        return lines_[shard * lines_per_shard_ + i / kPerLine].slots[i % kPerLine];
    }

    std::span<const double> bounds_;
    std::size_t lines_per_shard_;
    std::size_t mask_;
    /// Per shard: bucket counts, +Inf, then the sum as the bits of a double.
    std::unique_ptr<Line[]> lines_;
};

/// Receives the samples of a callback family during render().
class Emitter {
public:
    void operator()(std::span<const Label> labels, double value);
    void operator()(Labels labels, double value) { (*this)({labels.begin(), labels.size()}, value); }
    void operator()(double value) { (*this)(std::span<const Label>{}, value); }

private:
    friend class Registry;
    Emitter(std::string& out, std::string_view name) : out_(out), name_(name) {}
    std::string& out_;
    std::string_view name_;
};

enum class MetricType : std::uint8_t { counter, gauge, histogram };

class Registry {
public:
    using Collect = std::function<void(Emitter&)>;

    /// `shards` is rounded up to a power of two; 0 means one per CPU (at most 64).
    explicit Registry(std::size_t shards = 0);
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;
    ~Registry();

    /// The child of `name` with these labels, created on first use; the same labels return the same child.
    Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
    UpDown& up_down(std::string_view name, std::string_view help, Labels labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
    Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {},
                         std::span<const double> bounds = default_time_buckets());

    /// Keeps a callback registered; after its destruction what the callback reads may be destroyed.
    class Registration {
    public:
        Registration() = default;
        Registration(Registration&& other) noexcept;
        Registration& operator=(Registration&& other) noexcept;
        ~Registration();

    private:
        friend class Registry;
        Registration(Registry* registry, std::uint64_t id) : registry_(registry), id_(id) {}
        Registry* registry_ = nullptr;
        std::uint64_t id_ = 0;
    };
    /// A gauge or counter whose samples are read when rendering. Must not outlive the registry.
    [[nodiscard]] Registration callback(MetricType type, std::string_view name, std::string_view help,
                                        Collect collect);

    /// A shard for a thread that counts often (see OwnCount): a different one at each call while there are.
    [[nodiscard]] std::size_t own_shard() noexcept {
        return next_shard_.fetch_add(1, std::memory_order_relaxed) % shards_;
    }

    /// All families in the text format 0.0.4, in order of registration.
    [[nodiscard]] std::string render() const;

private:
    struct Family;
    Family& family(MetricType type, std::string_view name, std::string_view help);
    template <class T, class Make>
    T& child(MetricType type, std::string_view name, std::string_view help, Labels labels, Make make);
    void remove(std::uint64_t id) noexcept;

    std::size_t shards_;
    std::atomic<std::size_t> next_shard_{0};
    mutable std::mutex mutex_;
    std::list<Family> families_;
    std::uint64_t next_id_ = 1;
};

}  // namespace spillway::telemetry
