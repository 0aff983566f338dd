#include "chat/pdf.hpp"

#include <fmt/format.h>
#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page.h>

#include <limits>
#include <memory>

#include "base/utf8.hpp"

namespace spillway::chat {
namespace {

std::string page_text(poppler::document& document, int index) {
    const std::unique_ptr<poppler::page> page(document.create_page(index));
    if (!page) return {};
    const poppler::byte_array bytes =
        page->text(poppler::rectf(), poppler::page::non_raw_non_physical_layout).to_utf8();
    std::string out;
    out.reserve(bytes.size());
    for (const char c : bytes) {
        if (c == '\f' || c == '\r') continue;
        // Other control characters stand for glyphs without a meaning.
        out += static_cast<unsigned char>(c) < 0x20U && c != '\n' && c != '\t' ? ' ' : c;
    }
    return is_utf8(out) ? out : std::string();
}

}  // namespace

bool looks_like_pdf(std::string_view bytes) noexcept {
    // Readers accept the mark anywhere in the first kilobyte (ISO 32000-1, annex H.3, note 13).
    return bytes.substr(0, 1024).find("%PDF-") != std::string_view::npos;
}

Result<void> read_pdf(std::string_view bytes, std::size_t max_pages, PageSink& sink) {
    if (!looks_like_pdf(bytes) || bytes.size() > std::numeric_limits<int>::max())
        return fail("the file is not a PDF");
    poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
    const std::unique_ptr<poppler::document> document(
        poppler::document::load_from_raw_data(bytes.data(), static_cast<int>(bytes.size())));
    if (!document) return fail("the PDF cannot be read");
    if (document->is_locked()) return fail("the PDF is locked by a password");
    const int count = document->pages();
    if (count <= 0) return fail("the PDF has no pages");
    if (static_cast<std::size_t>(count) > max_pages)
        return fail(fmt::format("the PDF has {} pages, more than {}", count, max_pages));
    for (int i = 0; i < count && !sink.is_over(); ++i)
        if (!sink.on_page(page_text(*document, i))) break;
    return {};
}

}  // namespace spillway::chat
