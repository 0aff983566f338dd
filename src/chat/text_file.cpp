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
        } else if (static_cast<unsigned char>(c) < 0x20U && c != '\n' && c != '\t') {
            return fail("the file is not text");
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
    auto text = convert(bytes, "CP949");
    return text ? clean(*text) : text;
}

}  // namespace spillway::chat
