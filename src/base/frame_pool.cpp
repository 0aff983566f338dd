#include "base/frame_pool.hpp"

namespace spillway {

/// Frees what a thread kept: only while there is one is anything kept.
struct FramePool::AtThreadEnd {
    AtThreadEnd() { own().most_ = kMostKept; }
    AtThreadEnd(const AtThreadEnd&) = delete;
    AtThreadEnd& operator=(const AtThreadEnd&) = delete;
    ~AtThreadEnd() {
        FramePool& pool = own();
        pool.most_ = 0;
        pool.kept_ = 0;
        for (Free*& list : pool.free_)
            while (list != nullptr) ::operator delete(std::exchange(list, list->next));
    }
};

void* FramePool::fresh(std::size_t size) {
    static thread_local const AtThreadEnd at_end;
    (void)at_end;
    return ::operator new(rounded(size));
}

}  // namespace spillway
