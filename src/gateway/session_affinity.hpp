#pragma once
/// Session affinity: which backend holds a thing that has an id, such as a stored response, a thread, a file
/// or a batch. Azure keeps such things on the resource that made them, so a request that names one can be
/// served only there. The same goes for encrypted reasoning that a client sends back (Responses API,
/// `include: ["reasoning.encrypted_content"]`).
///
/// A stick table of bounded size whose entries overwrite each other: a short cut, not the truth. When an id
/// is not in it (after a restart, or made through another replica) the gateway asks one backend after the
/// other until one does not answer "not found", and remembers that one.
///
/// Thread rule: any thread, no lock (one atomic word per entry). Errors: none; a lost entry costs attempts.
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "api/operation.hpp"
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

private:
    std::unique_ptr<std::atomic<std::uint64_t>[]> slots_;  ///< 48 bits of the id's hash, 16 of backend + 1
    std::size_t mask_;
};

/// The first segment of the path that is such an id ("resp_…", "thread_…", "file-…"); empty: none.
[[nodiscard]] std::string_view id_in_path(std::string_view path) noexcept;
/// The first such id that stands as a whole string in a JSON text; looks at 64 KiB of it at most.
[[nodiscard]] std::string_view id_in_json(std::string_view text) noexcept;

/// The beginning of the next encrypted reasoning item in a JSON text, which only the resource that made it
/// can read; what tells it from others is in there. Moves `text` behind it. Empty: none.
[[nodiscard]] std::string_view next_sealed(std::string_view& text) noexcept;

/// Does this refusal mean that what was named lives on another resource?
[[nodiscard]] bool says_not_here(unsigned status, std::string_view body) noexcept;

/// Fills in where a request that was read should go; `body` as it came.
void find_affinity(Affinity& out, const SessionAffinity& table, const api::Operation& operation,
                   std::string_view path, std::string_view body, bool json);

/// A number for the beginning of a long prompt, equal for prompts that share it; 0 for one too short to be
/// cached (Azure caches from 1,024 tokens on). Backends that served the prefix answer the rest cheaper.
[[nodiscard]] std::uint64_t prefix_affinity(std::string_view body, std::size_t prompt_chars) noexcept;

}  // namespace spillway::gateway
