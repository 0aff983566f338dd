#pragma once
/// A growing contiguous buffer with a read position, whose memory comes from its Loop's pool. Bytes stay in
/// place until consume() followed by prepare() moves them, so a parser makes its views after the last
/// prepare(). The storage always has `padding` readable bytes after the data, as simdjson
/// requires. Thread rule: its Loop's. Errors: std::bad_alloc.
#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>

#include "http/buffer_pool.hpp"

namespace spillway::http {

class Buffer {
public:
    static constexpr std::size_t padding = BufferPool::padding;

    explicit Buffer(BufferPool& pool) : pool_(&pool) {}

    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    [[nodiscard]] std::size_t capacity() const noexcept {
        return storage_ ? storage_.get_deleter().capacity : 0;
    }
    [[nodiscard]] std::string_view view() const noexcept { return {base() + begin_, size()}; }
    [[nodiscard]] char* data() noexcept { return base() + begin_; }

    /// Room for at least `n` more bytes after the data; may move the data.
    std::span<char> prepare(std::size_t n) {
        if (empty()) begin_ = end_ = 0;
        const std::size_t room = capacity();
        if (room < end_ + n) {
            if (begin_ > 0 && room >= size() + n) {
                std::memmove(storage_.get(), data(), size());
            } else {
                auto bigger = pool_->acquire(std::max(size() + n, room * 2));
                if (size() > 0) std::memcpy(bigger.get(), data(), size());
                storage_ = std::move(bigger);
            }
            end_ = size();
            begin_ = 0;
        }
        return {storage_.get() + end_, capacity() - end_};
    }
    void commit(std::size_t n) noexcept { end_ += n; }
    void consume(std::size_t n) noexcept { begin_ += n; }
    /// Drops everything after the first `n` bytes.
    void truncate(std::size_t n) noexcept { end_ = begin_ + std::min(n, size()); }
    void clear() noexcept { begin_ = end_ = 0; }
    /// Appends a copy.
    void append(std::string_view bytes) {
        if (bytes.empty()) return;
        std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
        commit(bytes.size());
    }
    /// Returns the memory, dropping its content.
    void release() noexcept {
        storage_.reset();
        begin_ = end_ = 0;
    }

    /// Call before a wait: returns the memory if hardly anything is in it, keeping those few bytes. Moves the
    /// data.
    void rest() noexcept {
        if (!storage_ || size() > few) return;
        std::memcpy(aside_.data(), data(), size());
        end_ = size();
        begin_ = 0;
        storage_.reset();
    }

private:
    /// Enough for the rest of a chunk before the next one comes: the end of its line.
    static constexpr std::size_t few = 16;

    [[nodiscard]] const char* base() const noexcept { return storage_ ? storage_.get() : aside_.data(); }
    [[nodiscard]] char* base() noexcept { return storage_ ? storage_.get() : aside_.data(); }

    BufferPool* pool_;
    BufferPool::Block storage_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::array<char, few + padding> aside_{};
};

}  // namespace spillway::http
