#pragma once
/// Memory for buffers, reused by all connections of one Loop: last in, first out, so that a block is still in
/// the processor's cache, and large bodies do not make the heap grow and shrink with each
/// request.
///
/// Blocks have sizes of powers of two from `smallest` to `largest`, plus `padding` readable bytes; larger
/// ones come from the heap. At most `most_kept` bytes are kept idle. Ownership: a Block returns its memory on
/// destruction, which comes before the Loop's. Thread rule: the Loop's. Errors: std::bad_alloc.
#include <array>
#include <memory>
#include <vector>

#include "base/loop.hpp"

namespace spillway::http {

class BufferPool {
public:
    static constexpr std::size_t smallest = 4 * 1024;
    static constexpr std::size_t largest = 2 * 1024 * 1024;
    static constexpr std::size_t most_kept = 16 * 1024 * 1024;
    static constexpr std::size_t padding = 64;

    struct GiveBack {
        BufferPool* pool = nullptr;
        std::size_t capacity = 0;
        void operator()(char* memory) const noexcept;
    };
    using Block = std::unique_ptr<char[], GiveBack>;

    explicit BufferPool(Loop& /*a tool of it*/) noexcept {}
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;
    ~BufferPool() = default;
    static BufferPool& of(Loop& loop) { return loop.tool<BufferPool>(); }

    /// At least `size` bytes; the deleter's `capacity` says how many.
    [[nodiscard]] Block acquire(std::size_t size);
    /// Idle bytes.
    [[nodiscard]] std::size_t kept() const noexcept { return kept_; }

private:
    using Memory = std::unique_ptr<char[]>;
    static constexpr std::size_t kinds = 10;  // from smallest to largest
    static_assert(smallest << (kinds - 1) == largest);

    [[nodiscard]] static std::size_t kind_of(std::size_t size) noexcept;

    std::array<std::vector<Memory>, kinds> idle_;
    std::size_t kept_ = 0;
};

}  // namespace spillway::http
