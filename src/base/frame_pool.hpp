#pragma once
/// Reuses the memory of coroutine frames (base/task.hpp): a list of free blocks for each size.
///
/// A request allocates about ten frames. Each list is last in, first out, so that the next frame gets the
/// block most likely to be in the cache. A thread keeps at most kMostKept free bytes; the rest goes back to
/// the heap.
///
/// Ownership: one per thread (constant-initialized, so that access needs no check), freed when the thread
/// ends. A block may be deallocated on another thread than allocated it. Thread rule: never shared.
/// Errors: std::bad_alloc.
#include <array>
#include <cstddef>
#include <new>
#include <utility>

namespace spillway {

class FramePool {
public:
    static constexpr std::size_t kStep = 32;
    static constexpr std::size_t kLargest = 16384;  ///< larger blocks come from the heap
    static constexpr std::size_t kMostKept = std::size_t{1} << 20U;

    /// The calling thread's.
    static FramePool& own() noexcept;

    [[nodiscard]] void* allocate(std::size_t size) {
        if (size > kLargest) return ::operator new(size);
        Free*& list = free_[index(size)];
        if (list == nullptr) return fresh(size);
        kept_ -= rounded(size);
        return std::exchange(list, list->next);
    }
    void deallocate(void* block, std::size_t size) noexcept {
        if (size > kLargest || kept_ + rounded(size) > most_) {
            ::operator delete(block);
            return;
        }
        kept_ += rounded(size);
        Free*& list = free_[index(size)];
        list = ::new (block) Free{list};
    }
    /// Bytes kept for reuse.
    [[nodiscard]] std::size_t kept() const noexcept { return kept_; }

private:
    struct Free {
        Free* next;
    };
    struct AtThreadEnd;

    static constexpr std::size_t index(std::size_t size) noexcept { return (size + kStep - 1) / kStep; }
    static constexpr std::size_t rounded(std::size_t size) noexcept { return index(size) * kStep; }
    static void* fresh(std::size_t size);

    std::array<Free*, kLargest / kStep + 1> free_{};
    std::size_t kept_ = 0;
    std::size_t most_ = 0;  ///< kMostKept from the first fresh block to the thread's end, see AtThreadEnd
};

namespace detail {
// One per thread by design; see above.
inline constinit thread_local FramePool frame_pool;  // NOLINT(*-avoid-non-const-global-variables)
}  // namespace detail

inline FramePool& FramePool::own() noexcept {
    return detail::frame_pool;
}

}  // namespace spillway
