#pragma once
/// Memory for large tables that are read here and there: from 2 MiB on it asks the kernel for huge pages
/// (madvise(2), MADV_HUGEPAGE), so that a look at one of 100,000 entries does not wait for the processor's
/// page walk as well. Where the kernel has none to give, it is ordinary memory.
/// Ownership: stateless, lives for ever. Thread rule: any thread. Errors: std::bad_alloc.
#include <memory_resource>

namespace spillway {

[[nodiscard]] std::pmr::memory_resource* huge_pages() noexcept;

}  // namespace spillway
