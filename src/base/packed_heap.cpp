#include "base/packed_heap.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "base/huge_pages.hpp"
#include "base/sanitizers.hpp"

namespace spillway {
namespace {

constexpr std::size_t lines_of(std::size_t bytes) noexcept {
    return (std::max<std::size_t>(bytes, 1) + kCacheLine - 1) / kCacheLine;
}

constexpr bool is_small(std::size_t bytes, std::size_t alignment) noexcept {
    return bytes <= PackedHeap::kLargest && alignment <= kCacheLine;
}

}  // namespace

PackedHeap::~PackedHeap() {
    for (const auto& chunk : taken_) chunks_->deallocate(chunk.data(), chunk.size(), kCacheLine);
}

void* PackedHeap::do_allocate(std::size_t bytes, std::size_t alignment) {
    if (!is_small(bytes, alignment)) return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    const std::size_t lines = lines_of(bytes);
    const std::lock_guard lock(mutex_);
    Free*& list = free_[lines];
    return list != nullptr ? std::exchange(list, list->next) : carve(lines);
}

void* PackedHeap::carve(std::size_t lines) {
    const std::size_t bytes = lines * kCacheLine;
    if (rest_.size() < bytes) {
        const std::size_t size = taken_.empty() ? kFirst : kChunk;
        taken_.reserve(taken_.size() + 1);
        rest_ = {static_cast<std::byte*>(chunks_->allocate(size, kCacheLine)), size};
        taken_.push_back(rest_);
    }
    std::byte* const block = rest_.data();
    rest_ = rest_.subspan(bytes);
    return block;
}

void PackedHeap::do_deallocate(void* block, std::size_t bytes, std::size_t alignment) {
    if (!is_small(bytes, alignment))
        return std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
    const std::lock_guard lock(mutex_);
    Free*& list = free_[lines_of(bytes)];
    list = new (block) Free{list};
}

std::pmr::memory_resource* packed_heap() noexcept {
#if defined(SPILLWAY_ADDRESS_SANITIZER)
    return std::pmr::new_delete_resource();
#else
    static PackedHeap heap(huge_pages());
    return &heap;
#endif
}

}  // namespace spillway
