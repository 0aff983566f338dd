#include "app/top_screen.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"

namespace spillway::app::top {
namespace {

constexpr std::size_t kFixedRows = 3;  ///< title, a line below it, and the foot
constexpr std::size_t kLongestFilter = 64;

/// The first key of what was typed: an escape sequence (ECMA-48 5.4: CSI, or SS3 of arrows) or a character.
std::string_view first_key(std::string_view bytes) {
    if (bytes.size() < 3 || bytes[0] != '\x1b' || (bytes[1] != '[' && bytes[1] != 'O'))
        return bytes.substr(0, std::max<std::size_t>(1, utf8_sequence(bytes)));
    const auto end =
        std::find_if(bytes.begin() + 2, bytes.end(), [](char c) { return c >= '@' && c <= '~'; });
    return bytes.substr(0, static_cast<std::size_t>(end - bytes.begin()) + (end == bytes.end() ? 0 : 1));
}

bool is_one_of(std::string_view key, std::initializer_list<std::string_view> keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace

void Screen::resize(std::size_t columns, std::size_t rows) {
    look_.columns = std::max<std::size_t>(columns, 1);
    rows_ = std::max<std::size_t>(rows, 1);
}

std::size_t Screen::room() const noexcept {
    return rows_ > kFixedRows ? rows_ - kFixedRows : 1;
}

void Screen::type(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto one = first_key(bytes);
        if (editing_)
            edit(one);
        else
            key(one);
        bytes.remove_prefix(one.size());
    }
}

void Screen::key(std::string_view key) {
    if (is_one_of(key, {"q", "Q"})) quit_ = true;
    if (is_one_of(key, {"j", "\x1b[B", "\x1bOB"})) ++top_;
    if (is_one_of(key, {"k", "\x1b[A", "\x1bOA"})) up(1);
    if (is_one_of(key, {" ", "\x1b[6~"})) top_ += room();
    if (is_one_of(key, {"b", "\x1b[5~"})) up(room());
    if (is_one_of(key, {"g", "\x1b[H", "\x1bOH", "\x1b[1~"})) top_ = 0;
    if (is_one_of(key, {"G", "\x1b[F", "\x1bOF", "\x1b[4~"})) top_ = static_cast<std::size_t>(-1) / 2;
    if (key == "s") {
        constexpr std::size_t orders = 4;
        look_.order = static_cast<Order>((static_cast<std::size_t>(look_.order) + 1) % orders);
    }
    if (key == "/") {
        editing_ = true;
        look_.filter.clear();
    }
    if (key == "\x1b") look_.filter.clear();
}

void Screen::edit(std::string_view key) {
    top_ = 0;
    if (is_one_of(key, {"\r", "\n"})) {
        editing_ = false;
    } else if (key == "\x1b") {
        editing_ = false;
        look_.filter.clear();
    } else if (is_one_of(key, {"\x7f", "\b"})) {
        // Back over the bytes that go on with a character.
        while (!look_.filter.empty() && (static_cast<unsigned char>(look_.filter.back()) & 0xc0U) == 0x80U)
            look_.filter.pop_back();
        if (!look_.filter.empty()) look_.filter.pop_back();
    } else if (static_cast<unsigned char>(key[0]) >= 0x20 && look_.filter.size() < kLongestFilter) {
        look_.filter += key;
    }
}

std::string Screen::foot(std::size_t lines) const {
    if (editing_) return fmt::format("/{}_", look_.filter);
    std::string out = fmt::format("q quits  / filters  s sorts ({})", to_string(look_.order));
    if (!look_.filter.empty()) out += fmt::format("  filter: {} (Esc ends it)", look_.filter);
    if (lines > room())
        out += fmt::format("  lines {}-{} of {}: arrows, PgUp, PgDn", top_ + 1,
                           std::min(top_ + room(), lines), lines);
    return out;
}

std::vector<std::string> Screen::window(std::string_view title, const std::vector<std::string>& lines) {
    top_ = std::min(top_, lines.size() - std::min(lines.size(), room()));
    std::vector<std::string> out;
    out.push_back(fit(title, look_.columns));
    if (rows_ >= kFixedRows) out.emplace_back();
    for (std::size_t i = top_; i < std::min(lines.size(), top_ + room()); ++i)
        out.push_back(fit(lines[i], look_.columns));
    out.push_back(fit(foot(lines.size()), look_.columns));
    if (out.size() > rows_) out.resize(rows_);
    return out;
}

std::string Screen::paint(std::string_view title, const std::vector<std::string>& lines) {
    std::string out = "\x1b[H";
    const auto shown = window(title, lines);
    for (std::size_t i = 0; i < shown.size(); ++i) {
        out += shown[i];
        out += "\x1b[K";  // what an older, longer line left behind
        if (i + 1 < shown.size()) out += "\r\n";
    }
    return out + "\x1b[J";
}

}  // namespace spillway::app::top
