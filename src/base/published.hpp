#pragma once
/// A small value that many threads read as a whole while one at a time replaces it: a sequence lock (H.-J.
/// Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012). Readers write
/// nothing, so all processors that read can share the cache lines; a reader retries if the value was
/// replaced meanwhile.
///
/// Thread rule: load() from any thread; store() from one at a time (writers need a lock of their own).
/// Errors: none.
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <thread>
#include <type_traits>

namespace spillway {

template <class T>
class Published {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    explicit Published(const T& value) noexcept { store(value); }

    void store(const T& value) noexcept {
        std::array<std::uint64_t, words> raw{};
        std::memcpy(raw.data(), &value, sizeof(T));
        const std::uint64_t before = sequence_.load(std::memory_order_relaxed);
        sequence_.store(before + 1, std::memory_order_relaxed);
        // Whoever reads one of these also sees the odd number.
        for (std::size_t i = 0; i < words; ++i) words_[i].store(raw[i], std::memory_order_release);
        sequence_.store(before + 2, std::memory_order_release);
    }

    [[nodiscard]] T load() const noexcept {
        for (unsigned tries = 1;; ++tries) {
            const std::uint64_t before = sequence_.load(std::memory_order_acquire);
            Raw raw;
            for (std::size_t i = 0; i < words; ++i) raw.all[i] = words_[i].load(std::memory_order_acquire);
            if (before % 2 == 0 && sequence_.load(std::memory_order_relaxed) == before) return raw.value();
            if (tries % 64 == 0) std::this_thread::yield();
        }
    }

private:
    static constexpr std::size_t words = (sizeof(T) + 7) / 8;
    struct Raw {
        std::array<std::uint64_t, words> all;
        [[nodiscard]] T value() const noexcept {
            union {
                char none;
                T out;
            } u{};
            std::memcpy(static_cast<void*>(&u.out), all.data(), sizeof(T));
            return u.out;
        }
    };

    std::atomic<std::uint64_t> sequence_{0};  ///< odd while the value is being replaced
    std::array<std::atomic<std::uint64_t>, words> words_{};
};

}  // namespace spillway
