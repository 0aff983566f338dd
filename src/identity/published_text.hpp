#pragma once
/// A short secret text that one thread occasionally replaces and all threads read, without a lock or a write
/// by readers: a sequence lock over words (Boehm, "Can Seqlocks Get Along With Programming Language Memory
/// Models?", 2012, figure 6), with two places, so that no reader waits for a writer.
///
/// Ownership: owns its bytes, and wipes them. Thread rule: set() by one thread at a time, append_to() by any.
/// Errors: set() returns false for a text that is too long.
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace spillway::identity {

class PublishedText {
public:
    static constexpr std::size_t kMostBytes = std::size_t{32} * 1024;

    PublishedText() = default;
    PublishedText(const PublishedText&) = delete;
    PublishedText& operator=(const PublishedText&) = delete;
    ~PublishedText() { OPENSSL_cleanse(static_cast<void*>(places_.data()), sizeof places_); }

    bool set(std::string_view text) noexcept {
        if (text.size() > kMostBytes) return false;
        const std::uint64_t version = version_.load(std::memory_order_relaxed) + 1;
        std::atomic_thread_fence(std::memory_order_release);
        Place& place = places_[version % places_.size()];
        place.size.store(text.size(), std::memory_order_relaxed);
        for (std::size_t i = 0; i < text.size(); i += sizeof(std::uint64_t)) {
            std::uint64_t word = 0;
            std::memcpy(&word, text.data() + i, std::min(sizeof word, text.size() - i));
            place.words[i / sizeof word].store(word, std::memory_order_relaxed);
        }
        version_.store(version, std::memory_order_release);
        return true;
    }

    /// Appends the text as it was at one moment.
    void append_to(std::string& out) const {
        const std::size_t before = out.size();
        for (;;) {
            const std::uint64_t version = version_.load(std::memory_order_acquire);
            const Place& place = places_[version % places_.size()];
            const std::size_t size = std::min(place.size.load(std::memory_order_relaxed), kMostBytes);
            out.resize(before + size);
            for (std::size_t i = 0; i < size; i += sizeof(std::uint64_t)) {
                const std::uint64_t word = place.words[i / sizeof word].load(std::memory_order_relaxed);
                std::memcpy(out.data() + before + i, &word, std::min(sizeof word, size - i));
            }
            std::atomic_thread_fence(std::memory_order_acquire);
            // The place is overwritten only after the other one was published.
            if (version_.load(std::memory_order_relaxed) == version) return;
        }
    }

private:
    struct Place {
        std::atomic<std::size_t> size{0};
        std::array<std::atomic<std::uint64_t>, kMostBytes / sizeof(std::uint64_t)> words{};
    };
    std::atomic<std::uint64_t> version_{0};
    std::array<Place, 2> places_;
};

}  // namespace spillway::identity
