#include "chat/text_file.hpp"

#include <iconv.h>

#include <cerrno>
#include <memory>

#include "base/utf8.hpp"

namespace spillway::chat {
namespace {

struct CloseIconv {
    using pointer = iconv_t;
    void operator()(iconv_t handle) const noexcept { iconv_close(handle); }
};

Result<std::string> convert(std::string_view bytes, const char* from) {
    iconv_t raw = iconv_open("UTF-8", from);
    if (raw == iconv_t(-1)) return fail("the text is not UTF-8");  // NOLINT: POSIX says -1
    const std::unique_ptr<void, CloseIconv> handle(raw);
    std::string out(bytes.size() * 3 + 16, '\0');
    std::string in(bytes);  // iconv's signature is not const-correct
    char* in_at = in.data();
    std::size_t in_left = in.size();
    char* out_at = out.data();
    std::size_t out_left = out.size();
    if (iconv(handle.get(), &in_at, &in_left, &out_at, &out_left) == std::size_t(-1) || in_left != 0)
        return fail("the text is neither UTF-8, UTF-16 nor CP949");
    out.resize(out.size() - out_left);
    return out;
}

/// How many bytes the escape sequence for a terminal has with which `text` begins: logs have colours. 0:
/// none. (ECMA-48, 5.4: parameters and intermediates, then one final byte.)
std::size_t colour_bytes(std::string_view text) noexcept {
    if (!text.starts_with("\x1b[")) return 0;
    std::size_t i = 2;
    while (i < text.size() && text[i] >= 0x20 && text[i] <= 0x3F) ++i;
    return i < text.size() && text[i] >= 0x40 && text[i] <= 0x7E ? i + 1 : 0;
}

/// Whether two-byte characters, read as CP949, are mostly the syllables that Korean is written in (KS X 1001:
/// rows B0 to C8). Texts in Shift-JIS, GBK, EUC-JP and Latin-1 pass for CP949 as well, and would be nonsense.
bool reads_korean(std::string_view bytes) noexcept {
    std::size_t letters = 0;
    std::size_t syllables = 0;
    for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
        const auto lead = static_cast<unsigned char>(bytes[i]);
        if (lead < 0x80) continue;
        const auto trail = static_cast<unsigned char>(bytes[++i]);
        const bool sign = lead >= 0xA1 && lead <= 0xA3 && trail >= 0xA1;
        if (sign) continue;
        ++letters;
        if (lead >= 0xB0 && lead <= 0xC8 && trail >= 0xA1) ++syllables;
    }
    return syllables * 10 >= letters * 8;
}

Result<std::string> clean(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\r') {
            out += '\n';
            if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
        } else if (c == '\f') {
            out += '\n';
        } else if (const std::size_t escape = colour_bytes(text.substr(i)); escape != 0) {
            i += escape - 1;
        } else if (static_cast<unsigned char>(c) < 0x20U && c != '\n' && c != '\t') {
            return fail(std::string(not_text));
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

Result<std::string> decode_text(std::string_view bytes) {
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
        auto text = convert(bytes, "UTF-16");
        return text ? clean(*text) : text;
    }
    if (is_utf8(bytes)) return clean(bytes);
    if (bytes.find('\0') != std::string_view::npos) return fail(std::string(not_text));
    if (!reads_korean(bytes)) return fail("the text is neither UTF-8, UTF-16 nor CP949");
    auto text = convert(bytes, "CP949");
    return text ? clean(*text) : text;
}

}  // namespace spillway::chat
