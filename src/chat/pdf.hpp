#pragma once
/// Extracts the text of a PDF, page by page (poppler). Slow, and the file is not trusted: never on an event
/// loop's thread, and preferably in a separate process (chat/pdf_process.hpp).
/// Thread rule: any; one call at a time in a process.
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::chat {

[[nodiscard]] bool looks_like_pdf(std::string_view bytes) noexcept;

/// Receives the pages.
class PageSink {
public:
    PageSink() = default;
    PageSink(const PageSink&) = delete;
    PageSink& operator=(const PageSink&) = delete;
    virtual ~PageSink() = default;
    /// UTF-8, perhaps empty (a scanned page has no text). Returns false if no more are wanted.
    virtual bool on_page(std::string page) = 0;
    /// Whether they are not needed any more, or too slow. Checked from time to time.
    [[nodiscard]] virtual bool is_over() const = 0;
};

/// Reads to the last page, or until the sink has enough. Errors: not a PDF, protected by a password, or more
/// than `max_pages`.
[[nodiscard]] Result<void> read_pdf(std::string_view bytes, std::size_t max_pages, PageSink& sink);
using PdfReader = std::function<Result<void>(std::string_view bytes, std::size_t max_pages, PageSink& sink)>;

}  // namespace spillway::chat
