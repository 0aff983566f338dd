#pragma once
/// What a gateway tells the one that follows it of its backends: who is out of service, and for how long. As
/// lines of text, since the other may be of another version: what it does not know it leaves out.
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
