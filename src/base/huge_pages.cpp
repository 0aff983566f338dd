#include "base/huge_pages.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace spillway {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20U;

class HugePages final : public std::pmr::memory_resource {
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        if (!is_large(bytes, alignment)) return std::pmr::new_delete_resource()->allocate(bytes, alignment);
        const std::size_t size = (bytes + kHugePage - 1) / kHugePage * kHugePage;
        void* const memory = std::aligned_alloc(kHugePage, size);
        if (memory == nullptr) throw std::bad_alloc();
        ::madvise(memory, size, MADV_HUGEPAGE);  // a wish
        return memory;
    }
    void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
        if (is_large(bytes, alignment))
            std::free(memory);  // NOLINT(*-no-malloc): of aligned_alloc
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
