#pragma once
/// Memory for large tables with random access: for 2 MiB or more it asks the kernel for huge pages
/// (madvise(2), MADV_HUGEPAGE), so that reading one of 100,000 entries does not also cost a page-table walk.
/// Where the kernel has none to give, it is ordinary memory.
/// Ownership: stateless, never destroyed. Thread rule: any thread. Errors: std::bad_alloc.
#include <memory_resource>

namespace spillway {

[[nodiscard]] std::pmr::memory_resource* huge_pages() noexcept;

}  // namespace spillway
