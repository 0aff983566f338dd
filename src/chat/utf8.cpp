#include "chat/utf8.hpp"

#include <iconv.h>

#include <cerrno>
#include <memory>

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

CodePoint front_code_point(std::string_view s) noexcept {
    const auto byte = [&](std::size_t i) {
        return i < s.size() ? static_cast<unsigned char>(s[i]) : static_cast<unsigned char>(0);
    };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const auto bits = [&](std::size_t i) { return static_cast<char32_t>(byte(i) & 0x3FU); };
    const unsigned char a = byte(0);
    if (a < 0x80U) return {a, 1};
    if (a >= 0xC2U && a < 0xE0U && tail(1)) return {(static_cast<char32_t>(a & 0x1FU) << 6U) | bits(1), 2};
    if (a >= 0xE0U && a < 0xF0U && tail(1) && tail(2)) {
        const char32_t v = (static_cast<char32_t>(a & 0x0FU) << 12U) | (bits(1) << 6U) | bits(2);
        if (v >= 0x800 && (v < 0xD800 || v > 0xDFFF)) return {v, 3};
    }
    if (a >= 0xF0U && a < 0xF5U && tail(1) && tail(2) && tail(3)) {
        const char32_t v =
            (static_cast<char32_t>(a & 0x07U) << 18U) | (bits(1) << 12U) | (bits(2) << 6U) | bits(3);
        if (v >= 0x10000 && v <= 0x10FFFF) return {v, 4};
    }
    return {U'\uFFFD', 1};
}

bool is_utf8(std::string_view s) noexcept {
    while (!s.empty()) {
        const CodePoint c = front_code_point(s);
        if (c.bytes == 1 && c.value == U'\uFFFD') return false;
        s.remove_prefix(c.bytes);
    }
    return true;
}

std::size_t count_characters(std::string_view s) noexcept {
    std::size_t n = 0;
    for (const char c : s)
        if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++n;
    return n;
}

std::string_view first_characters(std::string_view s, std::size_t n) noexcept {
    std::size_t at = 0;
    while (n > 0 && at < s.size()) {
        at += front_code_point(s.substr(at)).bytes;
        --n;
    }
    return s.substr(0, at);
}

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
