#include "base/huge_pages.hpp"

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <new>

namespace spillway {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20U;

constexpr std::size_t rounded_up(std::size_t bytes) noexcept {
    return (bytes + kHugePage - 1) / kHugePage * kHugePage;
}

/// From the kernel itself: what the heap reuses has small pages already.
void* map_aligned(std::size_t size) {
    void* const whole = ::mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (whole == MAP_FAILED) throw std::bad_alloc();
    auto* const begin = static_cast<std::byte*>(whole);
    const std::size_t before = (kHugePage - reinterpret_cast<std::uintptr_t>(begin) % kHugePage) % kHugePage;
    if (before > 0) ::munmap(begin, before);
    ::munmap(begin + before + size, kHugePage - before);
    ::madvise(begin + before, size, MADV_HUGEPAGE);  // a wish
    return begin + before;
}

class HugePages final : public std::pmr::memory_resource {
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        if (is_large(bytes, alignment)) return map_aligned(rounded_up(bytes));
        return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
        if (is_large(bytes, alignment))
            ::munmap(memory, rounded_up(bytes));
        else
            std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
    }
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }
    static bool is_large(std::size_t bytes, std::size_t alignment) noexcept {
        return bytes >= kHugePage && alignment <= kHugePage;
    }
};

}  // namespace

std::pmr::memory_resource* huge_pages() noexcept {
    static HugePages resource;
    return &resource;
}

}  // namespace spillway
