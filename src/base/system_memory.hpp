#pragma once
/// How much memory this process may use: the machine's, or its cgroup's if that is less (cgroups(7); version
/// 2's memory.max and version 1's memory.limit_in_bytes, as a container sees its own).
/// Thread rule: safe everywhere. Errors: a limit that cannot be read is ignored.
#include <cstddef>

namespace spillway {

[[nodiscard]] std::size_t system_memory();

}  // namespace spillway
