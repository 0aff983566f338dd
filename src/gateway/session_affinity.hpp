#pragma once
/// Session affinity: which backend made encrypted reasoning that a client sends back (Responses API,
/// `include: ["reasoning.encrypted_content"]`): only the resource that made it can read it. (Where things
/// that have an id live is the store's to know: store/object_directory.hpp.)
///
/// A stick table of bounded size whose entries overwrite each other: a short cut, not the truth. When one is
/// not in it (after a restart, or made through another replica) the gateway asks one backend after the other
/// until one can read it, and remembers that one.
///
/// Thread rule: any thread, no lock (one atomic word per entry). Errors: none; a lost entry costs attempts.
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/asked.hpp"
#include "routing/router.hpp"

namespace spillway::gateway {

class SessionAffinity {
public:
    explicit SessionAffinity(std::size_t entries = 1U << 16U);

    [[nodiscard]] std::optional<routing::BackendIndex> find(std::string_view id) const noexcept;
    void learn(std::string_view id, routing::BackendIndex backend) noexcept;
    /// Learns every piece of encrypted reasoning in a JSON text.
    void learn_sealed(std::string_view json, routing::BackendIndex backend) noexcept;

    /// What it holds, for another table: of the next configuration, or of another process.
    struct Entry {
        std::uint64_t hash = 0;
        routing::BackendIndex backend = 0;
    };
    [[nodiscard]] std::vector<Entry> entries() const;
    void put(const Entry& entry) noexcept;

private:
    std::unique_ptr<std::atomic<std::uint64_t>[]> slots_;  ///< 48 bits of the id's hash, 16 of backend + 1
    std::size_t mask_;
};

/// The first id of a thing that lives on one resource that stands as a whole string in a JSON text; looks at
/// 64 KiB of it at most.
[[nodiscard]] std::string_view id_in_json(std::string_view text) noexcept;

/// The beginning, enough to identify it, of the next encrypted reasoning item in a JSON text, which only its
/// resource can read. Moves `text` past it. Empty: none.
[[nodiscard]] std::string_view next_sealed(std::string_view& text) noexcept;

/// Does this refusal, of a request that names things, mean that one of them lives on another resource?
[[nodiscard]] bool says_not_here(unsigned status, std::string_view body) noexcept;

/// Fills in where a request that carries encrypted reasoning should go; `body` as it came.
void find_sealed(Affinity& out, const SessionAffinity& table, std::string_view body);

/// A number for the beginning of a long prompt, equal for prompts that share it; 0 for one too short to be
/// cached (Azure caches from 1,024 tokens on). Backends that served the prefix answer the rest cheaper.
[[nodiscard]] std::uint64_t prefix_affinity(std::string_view body, std::size_t prompt_chars) noexcept;

}  // namespace spillway::gateway
