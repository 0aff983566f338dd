#pragma once
/// A heap for small objects of which there may be 100,000, so that each request finds its own cold: packed
/// into huge pages (huge_pages.hpp), reaching one does not also cost a page-table walk. The first kFirst
/// bytes are ordinary memory, for gateways with few clients.
///
/// A freed block is reused for objects of its size; the memory is kept until the heap's end. Objects larger
/// than kLargest come from the ordinary heap.
///
/// Ownership: everything allocated from it is destroyed first. Thread rule: any thread; takes a lock.
/// Errors: std::bad_alloc.
#include <array>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/cache_line.hpp"

namespace spillway {

class PackedHeap final : public std::pmr::memory_resource {
public:
    static constexpr std::size_t kFirst = std::size_t{64} << 10U;
    static constexpr std::size_t kLargest = 1024;

    /// `chunks`: where its memory comes from.
    explicit PackedHeap(std::pmr::memory_resource* chunks) noexcept : chunks_(chunks) {}
    PackedHeap(const PackedHeap&) = delete;
    PackedHeap& operator=(const PackedHeap&) = delete;
    ~PackedHeap() override;

private:
    struct Free {
        Free* next;
    };
    static constexpr std::size_t kChunk = std::size_t{2} << 20U;

    [[nodiscard]] void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }
    [[nodiscard]] void* carve(std::size_t lines);

    std::mutex mutex_;
    std::pmr::memory_resource* const chunks_;
    std::vector<std::span<std::byte>> taken_;
    std::span<std::byte> rest_;                            ///< of the latest
    std::array<Free*, kLargest / kCacheLine + 1> free_{};  ///< by size in cache lines
};

/// The process's own, as its heap is. Under AddressSanitizer, which should see where each object ends, it is
/// the ordinary heap.
[[nodiscard]] std::pmr::memory_resource* packed_heap() noexcept;

struct DeletePacked {
    template <class T>
    void operator()(T* object) const noexcept {
        std::pmr::polymorphic_allocator<>(packed_heap()).delete_object(object);
    }
};
/// An object on packed_heap().
template <class T>
using Packed = std::unique_ptr<T, DeletePacked>;

template <class T, class... Args>
[[nodiscard]] Packed<T> make_packed(Args&&... args) {
    return Packed<T>(
        std::pmr::polymorphic_allocator<>(packed_heap()).new_object<T>(std::forward<Args>(args)...));
}

}  // namespace spillway
