#include "migrate/policy_scan.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "migrate/csharp.hpp"

namespace spillway::migrate {
namespace {

bool is_name(char c) noexcept {
    const char l = ascii_lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == ':' || c == '.';
}

/// Each entity but in its place, so that lines can be counted.
std::string unescaped(std::string_view s) {
    constexpr std::pair<std::string_view, char> entities[]{
        {"&quot;", '"'}, {"&lt;", '<'},   {"&gt;", '>'},   {"&apos;", '\''}, {"&#34;", '"'},
        {"&amp;", '&'},  {"&#xA;", '\n'}, {"&#10;", '\n'}, {"&#xD;", ' '},   {"&#13;", ' '},
        {"&#x9;", ' '},  {"&#x22;", '"'}, {"&#39;", '\''}};
    std::string out;
    while (!s.empty()) {
        const auto found = std::find_if(std::begin(entities), std::end(entities),
                                        [&](const auto& e) { return s.starts_with(e.first); });
        out += found == std::end(entities) ? s.front() : found->second;
        s.remove_prefix(found == std::end(entities) ? 1 : found->first.size());
    }
    return out;
}

class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::vector<PolicyElement> run() {
        std::vector<PolicyElement> out;
        while (at_ < text_.size()) {
            const auto rest = text_.substr(at_);
            if (rest.starts_with("<!--")) {
                skip_past("-->");
            } else if (rest.starts_with("<![CDATA[")) {
                at_ += 9;
            } else if (rest.starts_with("<?")) {
                skip_past("?>");
            } else if (rest.size() > 1 && rest[0] == '<' && is_name(rest[1])) {
                out.push_back(element());
                out.back().text = text();
            } else {
                ++at_;
            }
        }
        return out;
    }

private:
    void skip_past(std::string_view end) {
        const auto found = text_.find(end, at_);
        at_ = found == std::string_view::npos ? text_.size() : found + end.size();
    }
    void skip_blanks() {
        while (at_ < text_.size() && trim(text_.substr(at_, 1)).empty()) ++at_;
    }
    std::string_view word() {
        const auto start = at_;
        while (at_ < text_.size() && is_name(text_[at_])) ++at_;
        return text_.substr(start, at_ - start);
    }

    /// `@{…}` and `@(…)` end where their bracket does, whatever stands in them.
    [[nodiscard]] std::size_t expression(std::string_view s) const {
        const auto open = s.substr(0, 2);
        return open == "@{" || open == "@(" ? 1 + csharp::balanced(s.substr(1)) : 0;
    }

    PolicyElement element() {
        PolicyElement out;
        out.at = at_++;
        out.name = word();
        while (at_ < text_.size() && text_[at_] != '>') {
            skip_blanks();
            const auto name = word();
            if (name.empty()) {
                if (at_ < text_.size() && text_[at_] != '>') ++at_;
                continue;
            }
            skip_blanks();
            if (at_ >= text_.size() || text_[at_] != '=') continue;
            ++at_;
            skip_blanks();
            value(out, name);
        }
        if (at_ < text_.size()) ++at_;
        return out;
    }

    void value(PolicyElement& out, std::string_view name) {
        if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) return;
        const char quote = text_[at_++];
        const auto rest = text_.substr(at_);
        const auto whole = rest.substr(0, rest.find(quote));
        auto length = expression(rest);
        // Escaped, it has no such quotation mark in it; and its brackets are to be counted without entities.
        if (length == 0 || whole.find("&quot;") != std::string_view::npos) length = whole.size();
        const auto raw = rest.substr(0, length);
        out.attributes.push_back({std::string(name), unescaped(raw), at_});
        at_ += length;
        if (at_ < text_.size() && text_[at_] == quote) ++at_;
    }

    std::string text() {
        skip_blanks();
        const auto rest = text_.substr(at_);
        auto length = expression(rest);
        if (length == 0) length = std::min(rest.find('<'), rest.size());
        at_ += length;
        return unescaped(trim(rest.substr(0, length)));
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

const PolicyElement::Attribute* PolicyElement::find(std::string_view key) const noexcept {
    const auto found =
        std::find_if(attributes.begin(), attributes.end(), [&](const auto& a) { return a.name == key; });
    return found == attributes.end() ? nullptr : &*found;
}

std::string PolicyElement::value(std::string_view key) const {
    const auto* found = find(key);
    return found == nullptr ? std::string() : found->value;
}

std::vector<PolicyElement> scan_policy(std::string_view policy) {
    return Scanner(policy).run();
}

}  // namespace spillway::migrate
