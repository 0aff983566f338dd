#include "api/json_text.hpp"

#include <cstddef>

namespace spillway::api {
namespace {

/// Length of the UTF-8 sequence `s` begins with (RFC 3629 §4); 0 if it is none.
std::size_t utf8_length(std::string_view s) noexcept {
    const auto byte = [&s](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    const auto follows = [&](std::size_t n) {
        if (s.size() <= n) return false;
        for (std::size_t i = 1; i <= n; ++i)
            if ((byte(i) & 0xc0U) != 0x80U) return false;
        return true;
    };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        if (!follows(2)) return 0;
        const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
        const bool surrogate = lead == 0xed && byte(1) >= 0xa0;
        return overlong || surrogate ? 0 : 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (!follows(3)) return 0;
        const bool overlong = lead == 0xf0 && byte(1) < 0x90;
        const bool beyond = lead == 0xf4 && byte(1) >= 0x90;
        return overlong || beyond ? 0 : 4;
    }
    return 0;
}

void append_escape(std::string& out, unsigned char c) {
    static constexpr std::string_view hex = "0123456789abcdef";
    switch (c) {
        case '"':
            out.append("\\\"");
            break;
        case '\\':
            out.append("\\\\");
            break;
        case '\n':
            out.append("\\n");
            break;
        case '\r':
            out.append("\\r");
            break;
        case '\t':
            out.append("\\t");
            break;
        default:
            out.append("\\u00");
            out.push_back(hex[c >> 4U]);
            out.push_back(hex[c & 0xfU]);
    }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out.push_back('"');
    std::size_t run = 0;  // begins what goes out as it is
    std::size_t at = 0;
    while (at < text.size()) {
        const auto c = static_cast<unsigned char>(text[at]);
        const bool special = c < 0x20 || c == '"' || c == '\\';
        const std::size_t length = special ? 1 : utf8_length(text.substr(at));
        if (!special && length != 0) {
            at += length;
            continue;
        }
        out.append(text.substr(run, at - run));
        if (special)
            append_escape(out, c);
        else
            out.append("\xef\xbf\xbd");
        run = ++at;
    }
    out.append(text.substr(run));
    out.push_back('"');
}

}  // namespace spillway::api
