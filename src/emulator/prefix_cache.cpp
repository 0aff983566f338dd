#include "emulator/prefix_cache.hpp"

#include "base/rng.hpp"

namespace spillway::emulator {

std::size_t PrefixCache::use(std::span<const std::uint64_t> prefixes, std::uint64_t deployment, Mono now) {
    if (prefixes.empty()) return 0;
    if (last_use_.size() + prefixes.size() > most_entries) {
        std::erase_if(last_use_, [&](const auto& entry) { return now - entry.second > lifetime; });
        if (last_use_.size() + prefixes.size() > most_entries) last_use_.clear();
    }
    const std::uint64_t salt = Rng(deployment)();
    std::size_t cached = 0;
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
        const auto [entry, is_new] = last_use_.try_emplace(prefixes[i] ^ salt, now);
        if (!is_new && now - entry->second <= lifetime) cached = first_tokens + step_tokens * i;
        entry->second = now;
    }
    return cached;
}

}  // namespace spillway::emulator
