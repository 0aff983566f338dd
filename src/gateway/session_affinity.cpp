#include "gateway/session_affinity.hpp"

#include <algorithm>
#include <bit>
#include <functional>

namespace spillway::gateway {

namespace {

constexpr std::size_t most_json = std::size_t{64} * 1024;
constexpr std::size_t prefix_bytes = 4096;

std::uint64_t hash_of(std::string_view text) noexcept {
    return std::hash<std::string_view>{}(text);
}

}  // namespace

SessionAffinity::SessionAffinity(std::size_t entries)
    : slots_(std::make_unique<std::atomic<std::uint64_t>[]>(std::bit_ceil(entries))),
      mask_(std::bit_ceil(entries) - 1) {}

std::optional<routing::BackendIndex> SessionAffinity::find(std::string_view id) const noexcept {
    const std::uint64_t hash = hash_of(id);
    const std::uint64_t word = slots_[hash & mask_].load(std::memory_order_relaxed);
    if ((word >> 16U) != (hash >> 16U) || (word & 0xffffU) == 0) return std::nullopt;
    return static_cast<routing::BackendIndex>((word & 0xffffU) - 1);
}

void SessionAffinity::learn(std::string_view id, routing::BackendIndex backend) noexcept {
    put({hash_of(id), backend});
}

void SessionAffinity::put(const Entry& entry) noexcept {
    if (entry.backend >= 0xffffU) return;
    slots_[entry.hash & mask_].store((entry.hash >> 16U << 16U) | (entry.backend + 1U),
                                     std::memory_order_relaxed);
}

/// The hash's low bits are its place.
std::vector<SessionAffinity::Entry> SessionAffinity::entries() const {
    std::vector<Entry> out;
    for (std::size_t i = 0; i <= mask_; ++i) {
        const std::uint64_t word = slots_[i].load(std::memory_order_relaxed);
        if ((word & 0xffffU) == 0) continue;
        out.push_back(
            {(word >> 16U << 16U) | (i & 0xffffU), static_cast<routing::BackendIndex>((word & 0xffffU) - 1)});
    }
    return out;
}

void SessionAffinity::learn_sealed(std::string_view json, routing::BackendIndex backend) noexcept {
    for (auto sealed = next_sealed(json); !sealed.empty(); sealed = next_sealed(json)) learn(sealed, backend);
}

void find_sealed(Affinity& out, const SessionAffinity& table, std::string_view body) {
    std::string_view rest = body;
    out.sealed = next_sealed(rest);
    if (!out.sealed.empty()) out.pinned = table.find(out.sealed);
}

std::string_view id_in_json(std::string_view text) noexcept {
    text = text.substr(0, most_json);
    for (auto at = text.find('"'); at != std::string_view::npos; at = text.find('"', at + 1)) {
        const auto end = text.find('"', at + 1);
        if (end == std::string_view::npos) break;
        const std::string_view inside = text.substr(at + 1, end - at - 1);
        if (api::is_object_id(inside)) return inside;
    }
    return {};
}

std::string_view next_sealed(std::string_view& text) noexcept {
    constexpr std::string_view key = "\"encrypted_content\"";
    constexpr std::size_t least = 32;
    constexpr std::size_t most = 128;  // of Fernet's form: a version, a time, and 16 random bytes come first
    for (auto at = text.find(key); at != std::string_view::npos; at = text.find(key)) {
        text.remove_prefix(at + key.size());
        const auto colon = text.find_first_not_of(" \t\r\n");
        if (colon == std::string_view::npos || text[colon] != ':') continue;
        const auto quote = text.find_first_not_of(" \t\r\n", colon + 1);
        if (quote == std::string_view::npos || text[quote] != '"') continue;
        text.remove_prefix(quote + 1);
        const std::string_view value = text.substr(0, std::min(text.find('"'), most));
        if (value.size() >= least) return value;
    }
    text = {};
    return {};
}

bool says_not_here(unsigned status, std::string_view body) noexcept {
    const auto says = [&](std::string_view what) { return body.find(what) != std::string_view::npos; };
    if (status == 404) return true;
    // Azure has been seen to leave out the code of sealed reasoning's, and says of files: "… were not found
    // due to ownership verification failure".
    return status == 400 &&
           (says("not_found") || says("not found") || says("No such") || says("invalid_encrypted_content") ||
            (says("ncrypted content") && says("could not be verified")));
}

std::uint64_t prefix_affinity(std::string_view body, std::size_t prompt_chars) noexcept {
    constexpr std::size_t least_chars = 3072;  // about 1,024 tokens of English, more of others
    if (prompt_chars < least_chars || body.size() < least_chars) return 0;
    return hash_of(body.substr(0, prefix_bytes)) | 1U;
}

}  // namespace spillway::gateway
