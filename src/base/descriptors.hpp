#pragma once
/// How many descriptors this process may open (getrlimit(2), RLIMIT_NOFILE).
/// Thread rule: safe everywhere. Errors: a limit that cannot be read or raised is left as it is.
#include <cstddef>

namespace spillway {

/// 0 if there is no limit.
[[nodiscard]] std::size_t descriptor_limit() noexcept;
/// Raises the soft limit to the hard one. The usual soft limit of 1,024 is for programs that call select(2),
/// which this one does not.
void raise_descriptor_limit() noexcept;

}  // namespace spillway
