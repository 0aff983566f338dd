#pragma once
/// The text of a PDF, page by page (poppler). Slow: never on an event loop's thread.
/// Thread rule: one call at a time per process is safest; the server runs it on a pool of one thread.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace spillway::chat {

[[nodiscard]] bool looks_like_pdf(std::string_view bytes) noexcept;

/// UTF-8, one string a page, maybe empty (a scanned page has no text). Errors: not a PDF, locked by a
/// password, more than `max_pages`.
[[nodiscard]] Result<std::vector<std::string>> pdf_pages(std::string_view bytes, std::size_t max_pages);

}  // namespace spillway::chat
