#pragma once
/// The text of a PDF, page by page (poppler). Slow, and of a stranger's making: never on an event loop's
/// thread, and where it can be had in a process of its own (chat/pdf_process.hpp).
/// Thread rule: any; one call at a time in a process.
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::chat {

[[nodiscard]] bool looks_like_pdf(std::string_view bytes) noexcept;

/// Who takes the pages.
class PageSink {
public:
    PageSink() = default;
    PageSink(const PageSink&) = delete;
    PageSink& operator=(const PageSink&) = delete;
    virtual ~PageSink() = default;
    /// UTF-8, maybe empty (a scanned page has no text). False: no more are wanted.
    virtual bool on_page(std::string page) = 0;
    /// Nobody waits for them any more, or they come too slowly. Asked from time to time.
    [[nodiscard]] virtual bool is_over() const = 0;
};

/// Reads until the last page, or until the sink has enough. Errors: not a PDF, locked by a password, more
/// than `max_pages`.
[[nodiscard]] Result<void> read_pdf(std::string_view bytes, std::size_t max_pages, PageSink& sink);
using PdfReader = std::function<Result<void>(std::string_view bytes, std::size_t max_pages, PageSink& sink)>;

}  // namespace spillway::chat
