#pragma once
/// Memory for many objects of one size that come and go: freed blocks are reused, so that the objects stay
/// close together. Other sizes are passed upstream. All memory is kept until destruction.
///
/// Ownership: everything allocated from it is destroyed first. Thread rule: one thread at a time.
/// Errors: std::bad_alloc.
#include <cstddef>
#include <memory_resource>
#include <vector>

namespace spillway {

class RecyclingMemory final : public std::pmr::memory_resource {
public:
    explicit RecyclingMemory(std::pmr::memory_resource* upstream) : chunks_(upstream) {}

private:
    /// The first size requested is the one that is recycled.
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        if (bytes_ == 0) bytes_ = bytes;
        if (bytes != bytes_ || free_.empty()) return chunks_.allocate(bytes, alignment);
        void* const block = free_.back();
        free_.pop_back();
        return block;
    }
    void do_deallocate(void* block, std::size_t bytes, std::size_t /*alignment*/) override {
        if (bytes == bytes_) free_.push_back(block);
    }
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }

    std::pmr::monotonic_buffer_resource chunks_;
    std::vector<void*> free_;
    std::size_t bytes_ = 0;
};

}  // namespace spillway
