#pragma once
/// A limit on bytes, shared by many users: what would exceed it is refused before it is allocated.
///
/// Ownership: a charge's budget outlives it. Thread rule: a MemoryBudget may be used from any thread without
/// waiting; a MemoryCharge belongs to one thread. Errors: false, and nothing has changed.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace spillway {

class MemoryBudget {
public:
    explicit MemoryBudget(std::size_t limit) noexcept : limit_(limit) {}
    MemoryBudget(const MemoryBudget&) = delete;
    MemoryBudget& operator=(const MemoryBudget&) = delete;

    /// Applies to what is acquired from now on.
    void use_limit(std::size_t limit) noexcept { limit_.store(limit, std::memory_order_relaxed); }
    /// `kept`: bytes of the limit that are left to others.
    [[nodiscard]] bool try_acquire(std::size_t bytes, std::size_t kept = 0) noexcept {
        const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
        std::size_t limit = limit_.load(std::memory_order_relaxed);
        limit -= std::min(kept, limit);
        if (before <= limit && bytes <= limit - before) return true;
        used_.fetch_sub(bytes, std::memory_order_relaxed);
        refused_.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    void release(std::size_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }

    [[nodiscard]] std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
    /// How often try_acquire() returned false.
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::size_t> limit_;
    std::atomic<std::size_t> used_{0};
    std::atomic<std::uint64_t> refused_{0};
};

/// One user's part of a budget, released on destruction.
class MemoryCharge {
public:
    MemoryCharge() = default;
    MemoryCharge(const MemoryCharge&) = delete;
    MemoryCharge& operator=(const MemoryCharge&) = delete;
    ~MemoryCharge() { release(); }

    /// Raises the charge to `bytes` in all. The same `budget` until release(); null: there is no limit.
    [[nodiscard]] bool grow_to(MemoryBudget* budget, std::size_t bytes, std::size_t kept = 0) noexcept {
        if (bytes <= bytes_ || budget == nullptr) return true;
        if (!budget->try_acquire(bytes - bytes_, kept)) return false;
        budget_ = budget;
        bytes_ = bytes;
        return true;
    }
    void release() noexcept {
        if (budget_ != nullptr) budget_->release(bytes_);
        budget_ = nullptr;
        bytes_ = 0;
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    MemoryBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace spillway
