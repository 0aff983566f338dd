#pragma once
/// What a gateway passes to its successor about its backends: which are out of service, and for how long. As
/// lines of text, since the other may be another version: it ignores what it does not know.
///
/// Pure. Thread rule: free functions. Errors: none.
#include <string>
#include <string_view>
#include <vector>

#include "quota/peers.hpp"

namespace spillway::gateway {

[[nodiscard]] std::string write_learned(const std::vector<quota::PeerReport>& reports);
[[nodiscard]] std::vector<quota::PeerReport> read_learned(std::string_view text);

}  // namespace spillway::gateway
