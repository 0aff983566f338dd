#pragma once
/// Reads PDFs in a separate process, so that a malicious file can do no harm: the process has no environment,
/// no descriptors except its input and output, and limits on memory, CPU time and files. It is killed when
/// its time is over or its result is no longer needed.
///
/// The protocol between the two consists of frames: a letter (`p` a page, `e` an error, `d` the end), four
/// bytes of length, the text.
/// Thread rule: read_pdf_apart() blocks, and may run on several threads. Errors: as for read_pdf(); a process
/// that crashes means that the PDF cannot be read.
#include "chat/pdf.hpp"

namespace spillway::chat {

/// The argument that makes the program that process.
inline constexpr const char* kPdfVerb = "read-pdf";

[[nodiscard]] Result<void> read_pdf_apart(std::string_view bytes, std::size_t max_pages, PageSink& sink);
/// The other side: the file is standard input. Returns the exit status.
[[nodiscard]] int serve_pdf(std::size_t max_pages);

}  // namespace spillway::chat
