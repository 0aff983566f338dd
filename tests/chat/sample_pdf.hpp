#pragma once
/// A small PDF (ISO 32000-1) with one line of text on each page, in Helvetica.
#include <fmt/format.h>

#include <string>
#include <vector>

namespace spillway::chat::test {

inline std::string sample_pdf(const std::vector<std::string>& pages) {
    std::vector<std::string> objects;
    std::string kids;
    for (std::size_t i = 0; i < pages.size(); ++i) kids += fmt::format("{} 0 R ", 4 + 2 * i);
    objects.push_back("<< /Type /Catalog /Pages 2 0 R >>");
    objects.push_back(fmt::format("<< /Type /Pages /Kids [{}] /Count {} >>", kids, pages.size()));
    objects.push_back("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");
    for (std::size_t i = 0; i < pages.size(); ++i) {
        const std::string content = fmt::format("BT /F1 12 Tf 72 720 Td ({}) Tj ET", pages[i]);
        objects.push_back(
            fmt::format("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R "
                        "/Resources << /Font << /F1 3 0 R >> >> >>",
                        5 + 2 * i));
        objects.push_back(fmt::format("<< /Length {} >>\nstream\n{}\nendstream", content.size(), content));
    }
    std::string out = "%PDF-1.4\n";
    std::string table;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        table += fmt::format("{:010} 00000 n \n", out.size());
        out += fmt::format("{} 0 obj\n{}\nendobj\n", i + 1, objects[i]);
    }
    const std::size_t start = out.size();
    out += fmt::format("xref\n0 {}\n0000000000 65535 f \n{}", objects.size() + 1, table);
    out +=
        fmt::format("trailer << /Size {} /Root 1 0 R >>\nstartxref\n{}\n%%EOF\n", objects.size() + 1, start);
    return out;
}

}  // namespace spillway::chat::test
