#pragma once
/// A growing flat byte buffer with a read position. Bytes that were handed out as views stay put until
/// consume() + prepare() move them, so a parser takes its views after the last prepare().
/// The storage always has `padding` readable bytes behind the data, as simdjson wants.
#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace spillway::http {

class Buffer {
public:
    static constexpr std::size_t padding = 64;

    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::string_view view() const noexcept { return {storage_.get() + begin_, size()}; }
    [[nodiscard]] char* data() noexcept { return storage_.get() + begin_; }

    /// Room for at least `n` more bytes behind the data; may move the data.
    std::span<char> prepare(std::size_t n) {
        if (empty()) begin_ = end_ = 0;
        if (capacity_ - end_ < n) {
            if (begin_ > 0 && capacity_ - size() >= n) {
                std::memmove(storage_.get(), storage_.get() + begin_, size());
            } else {
                const std::size_t wanted = std::max(size() + n, capacity_ * 2);
                auto bigger = std::make_unique_for_overwrite<char[]>(wanted + padding);
                if (size() > 0) std::memcpy(bigger.get(), storage_.get() + begin_, size());
                std::memset(bigger.get() + wanted, 0, padding);
                storage_ = std::move(bigger);
                capacity_ = wanted;
            }
            end_ = size();
            begin_ = 0;
        }
        return {storage_.get() + end_, capacity_ - end_};
    }
    void commit(std::size_t n) noexcept { end_ += n; }
    void consume(std::size_t n) noexcept { begin_ += n; }
    /// Drops everything behind the first `n` bytes.
    void truncate(std::size_t n) noexcept { end_ = begin_ + std::min(n, size()); }
    void clear() noexcept { begin_ = end_ = 0; }
    /// Appends a copy.
    void append(std::string_view bytes) {
        if (bytes.empty()) return;
        std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
        commit(bytes.size());
    }
    /// Gives the memory back if it grew beyond `keep` and holds nothing.
    void shrink(std::size_t keep) noexcept {
        if (!empty() || capacity_ <= keep) return;
        storage_.reset();
        capacity_ = begin_ = end_ = 0;
    }

private:
    std::unique_ptr<char[]> storage_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace spillway::http
