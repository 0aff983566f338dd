#pragma once
/// How many tokens a backend remembers under the id of a response or conversation: a request that continues
/// it is charged for all of them, though its body does not show them (Responses API, previous_response_id and
/// conversation).
///
/// Bounded: each id has one place by its hash, which later ids overwrite; a forgotten id counts as the usual
/// length. Units: tokens. Thread rule: any thread, no lock. Errors: none.
#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace spillway::quota {

class HistorySizes {
public:
    static constexpr std::size_t kPlaces = 32 * 1024;
    /// For an unknown id.
    static constexpr std::uint64_t kUsual = 2'000;

    HistorySizes() = default;
    HistorySizes(const HistorySizes&) = delete;
    HistorySizes& operator=(const HistorySizes&) = delete;

    /// Call after an answer: its prompt and completion are the history of the next request.
    void learn(std::string_view id, std::uint64_t tokens) noexcept {
        if (id.empty()) return;
        const Key key(id);
        places_.at(key.place).store(pack(key.tag, tokens), std::memory_order_relaxed);
    }
    /// 0 for an empty id.
    [[nodiscard]] std::uint64_t of(std::string_view id) const noexcept {
        if (id.empty()) return 0;
        const Key key(id);
        const std::uint64_t held = places_.at(key.place).load(std::memory_order_relaxed);
        return held != 0 && held >> 32U == key.tag ? held & 0xffffffffU : kUsual;
    }

private:
    struct Key {
        explicit Key(std::string_view id) noexcept {
            std::uint64_t hash =
                0xcbf29ce484222325U;  // FNV-1a; ids are chosen by the backend, not by a client
            for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
            hash ^= hash >> 29U;
            place = static_cast<std::size_t>(hash % kPlaces);
            tag = static_cast<std::uint32_t>(hash >> 32U) | 1U;
        }
        std::size_t place = 0;
        std::uint32_t tag = 0;
    };
    static std::uint64_t pack(std::uint32_t tag, std::uint64_t tokens) noexcept {
        return std::uint64_t{tag} << 32U | (tokens < 0xffffffffU ? tokens : 0xffffffffU);
    }
    std::array<std::atomic<std::uint64_t>, kPlaces> places_{};
};

}  // namespace spillway::quota
