#include "config/value.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/strings.hpp"

namespace spillway::config {
namespace {

/// Whether YAML takes `text` for a plain scalar that is itself, in braces too.
bool is_plain(std::string_view text) noexcept {
    constexpr std::string_view marks = "_./+@";
    if (text.empty() || text == "." || iequals(text, "null")) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const char l = ascii_lower(c);
        if ((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || marks.find(c) != marks.npos) continue;
        // A dash that begins an item, or a colon that ends a key, is a mark of YAML's.
        if (c == '-' && i != 0) continue;
        if (c == ':' && i != 0 && i + 1 < text.size()) continue;
        return false;
    }
    return true;
}

std::string quote(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

bool is_list_of_maps(const Value& v) {
    return v.kind == Value::Kind::list && !v.entries.empty() &&
           v.entries.front().value.kind == Value::Kind::map;
}

/// Whether it is written in lines of its own: sections and lists of things.
bool is_block(const Value& v, std::size_t level) {
    return is_list_of_maps(v) || (v.kind == Value::Kind::map && level == 0 && !v.entries.empty());
}

void write_flow(std::string& out, const Value& v) {
    if (v.kind == Value::Kind::scalar) {
        out += v.text;
        return;
    }
    const bool map = v.kind == Value::Kind::map;
    out += map ? '{' : '[';
    for (std::size_t i = 0; i < v.entries.size(); ++i) {
        if (i != 0) out += ", ";
        if (map) out += v.entries[i].key + ": ";
        write_flow(out, v.entries[i].value);
    }
    out += map ? '}' : ']';
}

void write_json(std::string& out, const Value& v, std::size_t level) {
    if (v.kind == Value::Kind::scalar) {
        out += v.text;
        return;
    }
    const bool map = v.kind == Value::Kind::map;
    if (v.entries.empty()) {
        out += map ? "{}" : "[]";
        return;
    }
    out += map ? '{' : '[';
    for (std::size_t i = 0; i < v.entries.size(); ++i) {
        out += i == 0 ? "\n" : ",\n";
        out.append(2 * level + 2, ' ');
        if (map) out += quote(v.entries[i].key) + ": ";
        write_json(out, v.entries[i].value, level + 1);
    }
    out += '\n';
    out.append(2 * level, ' ');
    out += map ? '}' : ']';
}

void write_map(std::string& out, const Value& map, std::size_t level, std::string_view first);

void write_entry(std::string& out, const Value& v, std::size_t level) {
    if (!is_block(v, level)) {
        out += ' ';
        write_flow(out, v);
        out += '\n';
    } else if (v.kind == Value::Kind::map) {
        out += '\n';
        write_map(out, v, level + 1, {});
    } else {
        out += '\n';
        for (const auto& item : v.entries) write_map(out, item.value, level + 2, "- ");
    }
}

/// `first` stands in the first line's indentation.
void write_map(std::string& out, const Value& map, std::size_t level, std::string_view first) {
    for (const auto& entry : map.entries) {
        const std::size_t indent = level * 2;
        out.append(indent - std::min(indent, first.size()), ' ');
        out += first;
        out += entry.key + ':';
        first = {};
        write_entry(out, entry.value, level);
    }
}

bool same(const Value& a, const Value& b) {
    return a.kind == b.kind && a.text == b.text && a.digest == b.digest &&
           std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                      [](const auto& x, const auto& y) { return x.key == y.key && same(x.value, y.value); });
}

/// The items of a list of named things as a map from their names; nothing if they have none.
std::optional<Value> by_name(const Value& list) {
    Value out = Value::map();
    for (const auto& item : list.entries) {
        const auto name = item.value.text_of("name");
        if (name.empty()) return std::nullopt;
        out.add(std::string(name), item.value);
    }
    return out;
}

const Value* find(const Value& map, std::string_view key) {
    const auto at = std::find_if(map.entries.begin(), map.entries.end(),
                                 [&](const auto& entry) { return entry.key == key; });
    return at == map.entries.end() ? nullptr : &at->value;
}

/// What a section that comes or goes as a whole needs.
Apply strictest(const Value& v) {
    Apply out = Apply::live;
    for (const auto& entry : v.entries) out = std::max({out, entry.apply, strictest(entry.value)});
    return out;
}

class Comparison {
public:
    void maps(const Value& before, const Value& after, const std::string& path, Apply apply) {
        for (const auto& old : before.entries) {
            const auto* now = find(after, old.key);
            pair(old.value, now == nullptr ? Value{} : *now, join(path, old.key), std::max(apply, old.apply));
        }
        for (const auto& fresh : after.entries)
            if (find(before, fresh.key) == nullptr)
                pair({}, fresh.value, join(path, fresh.key), std::max(apply, fresh.apply));
    }
    [[nodiscard]] std::vector<Difference> take() { return std::move(found_); }

private:
    static std::string join(const std::string& path, const std::string& key) {
        return path.empty() ? key : path + '.' + key;
    }

    void pair(const Value& before, const Value& after, const std::string& path, Apply apply) {
        if (same(before, after)) return;
        using Kind = Value::Kind;
        if (before.kind == Kind::map && after.kind == Kind::map) return maps(before, after, path, apply);
        if (before.kind == Kind::list && after.kind == Kind::list) {
            const auto old = by_name(before);
            const auto fresh = by_name(after);
            const auto found = found_.size();
            if (old && fresh) maps(*old, *fresh, path, apply);
            if (found_.size() != found) return;  // else no named items, or the same in another order
        }
        found_.push_back(
            {path, shown(before), shown(after), std::max({apply, strictest(before), strictest(after)})});
    }

    static std::string shown(const Value& v) {
        if (v.kind == Value::Kind::nothing) return {};
        if (v.kind == Value::Kind::map) return "{…}";
        std::string out;
        write_flow(out, v);
        return out.size() > 80 ? "[…]" : out;
    }

    std::vector<Difference> found_;
};

}  // namespace

Value Value::scalar(std::string text) {
    Value out;
    out.kind = Kind::scalar;
    out.text = std::move(text);
    return out;
}

Value Value::map() {
    Value out;
    out.kind = Kind::map;
    return out;
}

Value Value::list() {
    Value out;
    out.kind = Kind::list;
    return out;
}

Value Value::quoted(std::string_view text) {
    return scalar(is_plain(text) ? std::string(text) : quote(text));
}

Value Value::json_text(std::string_view text) {
    return scalar(quote(text));
}

Value Value::secret(const Secret& secret) {
    Value out = quoted(secret.masked());
    std::array<unsigned char, 32> digest{};
    const auto bytes = secret.reveal();
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1)
        out.digest.assign(digest.begin(), digest.end());
    return out;
}

void Value::add(std::string key, Value value, Apply apply) {
    entries.push_back({std::move(key), std::move(value), apply});
}

std::string_view Value::text_of(std::string_view key) const noexcept {
    const auto* found = find(*this, key);
    return found != nullptr && found->kind == Kind::scalar ? std::string_view(found->text)
                                                           : std::string_view{};
}

std::string to_yaml(const Value& map) {
    std::string out;
    write_map(out, map, 0, {});
    return out;
}

std::string to_json(const Value& value) {
    std::string out;
    write_json(out, value, 0);
    return out + '\n';
}

std::string Difference::to_string() const {
    if (before.empty()) return after == "{…}" ? path + ": added" : fmt::format("{}: set to {}", path, after);
    if (after.empty()) return path + ": removed";
    if (before == after) return path + ": changed";
    return fmt::format("{}: {} -> {}", path, before, after);
}

std::vector<Difference> differences(const Value& before, const Value& after) {
    Comparison comparison;
    comparison.maps(before, after, {}, Apply::live);
    return comparison.take();
}

}  // namespace spillway::config
