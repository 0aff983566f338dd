#pragma once
/// Remembers the prompt prefixes seen lately, like Azure's prompt cache: from 1,024 tokens, in
/// steps of 128, for some minutes after the last use (Azure, "Prompt caching"). Pure.
/// Thread rule: a value for one thread.
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>

#include "base/clock.hpp"

namespace spillway::emulator {

class PrefixCache {
public:
    static constexpr std::size_t first_tokens = 1024;
    static constexpr std::size_t step_tokens = 128;
    static constexpr Duration lifetime = std::chrono::minutes(5);
    static constexpr std::size_t most_entries = 65'536;

    /// Returns how many tokens of a prompt are cached, and adds the prompt. `prefixes[i]` is the hash of its
    /// first 1,024 + 128 × i tokens; `deployment` separates deployments.
    [[nodiscard]] std::size_t use(std::span<const std::uint64_t> prefixes, std::uint64_t deployment,
                                  Mono now);

private:
    std::unordered_map<std::uint64_t, Mono> last_use_;
};

}  // namespace spillway::emulator
