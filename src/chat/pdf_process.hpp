#pragma once
/// Reads PDFs in a process of its own, so that what a stranger's file does to the reader harms nobody: the
/// process has no environment, no descriptors but its input and output, and bounds on memory, CPU time and
/// files. It is killed when its time is over or nobody waits for it.
///
/// Between the two go frames: a letter (`p` a page, `e` an error, `d` the end), four bytes of length, the
/// text.
/// Thread rule: read_pdf_apart() blocks, and may run on several threads. Errors: as read_pdf(); a process
/// that dies has met a PDF that cannot be read.
#include "chat/pdf.hpp"

namespace spillway::chat {

/// What the program is called with, to be that process.
inline constexpr const char* kPdfVerb = "read-pdf";

[[nodiscard]] Result<void> read_pdf_apart(std::string_view bytes, std::size_t max_pages, PageSink& sink);
/// The other side: standard input is the file. The exit status.
[[nodiscard]] int serve_pdf(std::size_t max_pages);

}  // namespace spillway::chat
