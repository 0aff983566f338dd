#pragma once
/// Memory of coroutine frames (base/task.hpp), used again and again: a list of free blocks for each size.
///
/// A request takes some ten frames. A frame's size names its list, and the block that was used last, which is
/// still in the cache, is the next to be used. Of what is free, a thread keeps kMostKept bytes; the rest goes
/// back to the heap.
///
/// Ownership: a thread's own (constant-initialized, so that an access costs no check); what it keeps goes
/// with the thread. A block may be given back on another thread than took it. Thread rule: none is shared.
/// Errors: std::bad_alloc.
#include <array>
#include <cstddef>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define SPILLWAY_FRAMES_FROM_HEAP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPILLWAY_FRAMES_FROM_HEAP 1
#endif
#endif

namespace spillway {

class FramePool {
public:
    static constexpr std::size_t kStep = 32;
    static constexpr std::size_t kLargest = 16384;  ///< larger blocks come from the heap
    static constexpr std::size_t kMostKept = std::size_t{1} << 20U;

    /// This thread's.
    static FramePool& own() noexcept;

    [[nodiscard]] void* take(std::size_t size) {
        if (size > kLargest) return ::operator new(size);
        Free*& list = free_[index(size)];
        if (list == nullptr) return fresh(size);
        kept_ -= rounded(size);
        return std::exchange(list, list->next);
    }
    void give_back(void* block, std::size_t size) noexcept {
        if (size > kLargest || kept_ + rounded(size) > most_) {
            ::operator delete(block);
            return;
        }
        kept_ += rounded(size);
        Free*& list = free_[index(size)];
        list = ::new (block) Free{list};
    }
    /// Bytes that are free and kept.
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
// A thread's own by design; see above.
inline constinit thread_local FramePool frame_pool;  // NOLINT(*-avoid-non-const-global-variables)
}  // namespace detail

inline FramePool& FramePool::own() noexcept {
    return detail::frame_pool;
}

}  // namespace spillway
