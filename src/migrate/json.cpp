// JSON that YAML's reader would trip over.
#include <algorithm>
#include <charconv>

#include "base/strings.hpp"
#include "base/utf8.hpp"
#include "migrate/migrate.hpp"

namespace spillway::migrate {
namespace {

constexpr std::uint32_t kHighSurrogate = 0xd800;
constexpr std::uint32_t kLowSurrogate = 0xdc00;
constexpr std::uint32_t kAfterSurrogates = 0xe000;

/// The unit of `\uXXXX` at the front of `s`.
std::optional<std::uint32_t> escaped_unit(std::string_view s) {
    if (s.size() < 6 || s[0] != '\\' || s[1] != 'u') return std::nullopt;
    std::uint32_t unit = 0;
    const auto [end, failed] = std::from_chars(s.data() + 2, s.data() + 6, unit, 16);
    return failed == std::errc{} && end == s.data() + 6 ? std::optional(unit) : std::nullopt;
}

class Plainer {
public:
    explicit Plainer(std::string_view text) : text_(text) { out_.reserve(text.size()); }

    std::string run() {
        while (at_ < text_.size()) {
            const auto rest = text_.substr(at_);
            if (rest.starts_with("//"))
                blank(rest.substr(0, rest.find('\n')));
            else if (rest.starts_with("/*"))
                blank(rest.substr(0, rest.find("*/") == rest.npos ? rest.npos : rest.find("*/") + 2));
            else if (rest.front() == '"')
                string();
            else
                out_ += text_[at_++];
        }
        return std::move(out_);
    }

private:
    void blank(std::string_view comment) {
        for (const char c : comment) out_ += c == '\n' ? '\n' : ' ';
        at_ += comment.size();
    }

    void string() {
        out_ += text_[at_++];
        while (at_ < text_.size() && text_[at_] != '"') {
            if (text_[at_] == '\\')
                escape();
            else if (text_[at_] == '\n')  // ARM lets a text go over lines; YAML folds them as it likes
                out_ += (++at_, "\\n\\\n");
            else
                out_ += text_[at_++];
        }
        if (at_ < text_.size()) out_ += text_[at_++];
    }

    void escape() {
        const auto rest = text_.substr(at_);
        const auto high = escaped_unit(rest);
        if (!high || *high < kHighSurrogate || *high >= kAfterSurrogates) {
            out_ += rest.substr(0, 2);
            at_ += std::min<std::size_t>(2, rest.size());
            return;
        }
        const auto low = *high < kLowSurrogate ? escaped_unit(rest.substr(6)) : std::nullopt;
        if (low && *low >= kLowSurrogate && *low < kAfterSurrogates) {
            append_code_point(out_, 0x10000 + ((*high - kHighSurrogate) << 10U) + (*low - kLowSurrogate));
            at_ += 12;
        } else {
            out_ += "\\ufffd";
            at_ += 6;
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string out_;
};

}  // namespace

std::string plain_json(std::string_view text) {
    const auto start = trim(text).substr(0, 2);
    const bool json = start.starts_with('{') || start.starts_with('[') || start == "//" || start == "/*";
    return json ? Plainer(text).run() : std::string(text);
}

}  // namespace spillway::migrate
