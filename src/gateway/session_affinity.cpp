#include "gateway/session_affinity.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>

namespace spillway::gateway {

namespace {

/// What begins the ids of things that live on one resource (OpenAI API reference).
constexpr std::array<std::string_view, 12> prefixes{"resp_", "thread_", "file-",   "asst_", "batch_", "vs_",
                                                    "run_",  "ftjob-",  "upload_", "conv_", "vsfb_",  "msg_"};
constexpr std::size_t least_id = 8;
constexpr std::size_t most_id = 128;
constexpr std::size_t most_json = 64 * 1024;
constexpr std::size_t prefix_bytes = 4096;

bool is_id_char(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_id(std::string_view text) noexcept {
    if (text.size() < least_id || text.size() > most_id) return false;
    return std::any_of(prefixes.begin(), prefixes.end(), [&](auto p) { return text.starts_with(p); }) &&
           std::all_of(text.begin(), text.end(), is_id_char);
}

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
    if (backend >= 0xffffU) return;
    const std::uint64_t hash = hash_of(id);
    slots_[hash & mask_].store((hash >> 16U << 16U) | (backend + 1U), std::memory_order_relaxed);
}

void SessionAffinity::learn_sealed(std::string_view json, routing::BackendIndex backend) noexcept {
    for (auto sealed = next_sealed(json); !sealed.empty(); sealed = next_sealed(json)) learn(sealed, backend);
}

void find_affinity(Affinity& out, const SessionAffinity& table, const api::Operation& operation,
                   std::string_view path, std::string_view body, bool json) {
    if (out.id.empty() && operation.names_ids) {
        out.id = id_in_path(path);
        if (out.id.empty() && json) out.id = id_in_json(body);
    }
    if (out.id.empty() && operation.sealed_reasoning) {
        std::string_view rest = body;
        out.id = next_sealed(rest);
    }
    if (!out.id.empty()) out.pinned = table.find(out.id);
}

std::string_view id_in_path(std::string_view path) noexcept {
    while (!path.empty()) {
        const auto slash = path.find('/');
        const std::string_view segment = path.substr(0, slash);
        if (is_id(segment)) return segment;
        if (slash == std::string_view::npos) break;
        path.remove_prefix(slash + 1);
    }
    return {};
}

std::string_view id_in_json(std::string_view text) noexcept {
    text = text.substr(0, most_json);
    for (auto at = text.find('"'); at != std::string_view::npos; at = text.find('"', at + 1)) {
        const auto end = text.find('"', at + 1);
        if (end == std::string_view::npos) break;
        const std::string_view inside = text.substr(at + 1, end - at - 1);
        if (is_id(inside)) return inside;
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
    // Azure has been seen to leave out the code of the last one.
    return status == 400 && (says("previous_response_not_found") || says("invalid_encrypted_content") ||
                             (says("ncrypted content") && says("could not be verified")));
}

std::uint64_t prefix_affinity(std::string_view body, std::size_t prompt_chars) noexcept {
    constexpr std::size_t least_chars = 3072;  // about 1,024 tokens of English, more of others
    if (prompt_chars < least_chars || body.size() < least_chars) return 0;
    return hash_of(body.substr(0, prefix_bytes)) | 1U;
}

}  // namespace spillway::gateway
