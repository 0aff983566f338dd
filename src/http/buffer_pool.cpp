#include "http/buffer_pool.hpp"

#include <bit>
#include <cstring>

namespace spillway::http {

std::size_t BufferPool::kind_of(std::size_t size) noexcept {
    return size <= smallest ? 0 : static_cast<std::size_t>(std::bit_width((size - 1) / smallest));
}

BufferPool::Block BufferPool::acquire(std::size_t size) {
    const std::size_t kind = kind_of(size);
    const std::size_t capacity = kind < kinds ? smallest << kind : size;
    if (kind < kinds && !idle_[kind].empty()) {
        Memory memory = std::move(idle_[kind].back());
        idle_[kind].pop_back();
        kept_ -= capacity;
        return {memory.release(), GiveBack{this, capacity}};
    }
    auto memory = std::make_unique_for_overwrite<char[]>(capacity + padding);
    std::memset(memory.get() + capacity, 0, padding);
    return {memory.release(), GiveBack{this, capacity}};
}

void BufferPool::GiveBack::operator()(char* bytes) const noexcept {
    Memory memory(bytes);
    if (capacity > largest || pool->kept_ + capacity > most_kept) return;
    try {
        pool->idle_[kind_of(capacity)].push_back(std::move(memory));
        pool->kept_ += capacity;
    } catch (const std::bad_alloc&) {
        return;  // there is no room to remember it: it goes back to the heap
    }
}

}  // namespace spillway::http
