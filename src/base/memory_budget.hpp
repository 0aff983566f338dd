#pragma once
/// Bytes that many share: what would go beyond the limit is refused before it is allocated.
///
/// Ownership: a charge's budget outlives it. Thread rule: a MemoryBudget is safe from all threads, and waits
/// for none; a MemoryCharge belongs to one. Errors: false, and nothing has changed.
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

    /// For what is taken from now on.
    void use_limit(std::size_t limit) noexcept { limit_.store(limit, std::memory_order_relaxed); }
    [[nodiscard]] bool take(std::size_t bytes) noexcept {
        const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
        const std::size_t limit = limit_.load(std::memory_order_relaxed);
        if (before <= limit && bytes <= limit - before) return true;
        used_.fetch_sub(bytes, std::memory_order_relaxed);
        refused_.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    void give_back(std::size_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }

    [[nodiscard]] std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
    /// How often take() said no.
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::size_t> limit_;
    std::atomic<std::size_t> used_{0};
    std::atomic<std::uint64_t> refused_{0};
};

/// What one user took of a budget; given back when it goes.
class MemoryCharge {
public:
    MemoryCharge() = default;
    MemoryCharge(const MemoryCharge&) = delete;
    MemoryCharge& operator=(const MemoryCharge&) = delete;
    ~MemoryCharge() { release(); }

    /// So many bytes in all, of `budget` from the first call to release(). Null: there is no limit.
    [[nodiscard]] bool grow_to(MemoryBudget* budget, std::size_t bytes) noexcept {
        if (bytes <= bytes_ || budget == nullptr) return true;
        if (!budget->take(bytes - bytes_)) return false;
        budget_ = budget;
        bytes_ = bytes;
        return true;
    }
    void release() noexcept {
        if (budget_ != nullptr) budget_->give_back(bytes_);
        budget_ = nullptr;
        bytes_ = 0;
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    MemoryBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace spillway
