#include "migrate/section.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"

namespace spillway::migrate {

void Notes::add(int line, std::string key, std::string message) {
    notes_.push_back({line, std::move(key), std::move(message)});
}

std::vector<Note> Notes::take() {
    std::stable_sort(notes_.begin(), notes_.end(),
                     [](const Note& a, const Note& b) { return a.line < b.line; });
    // A loop, or what several keys share, is read more than once.
    const auto same = [](const Note& a, const Note& b) {
        return a.line == b.line && a.key == b.key && a.message == b.message;
    };
    std::vector<Note> out;
    for (auto& note : notes_)
        if (std::none_of(out.begin(), out.end(), [&](const Note& known) { return same(known, note); }))
            out.push_back(std::move(note));
    notes_.clear();
    return out;
}

int Item::line() const {
    if (!node.IsDefined()) return 0;
    const auto mark = node.Mark();
    return mark.is_null() ? 0 : mark.line + 1;
}

std::optional<std::string> Item::text() const {
    if (!node.IsDefined() || !node.IsScalar()) return std::nullopt;
    return node.Scalar();
}

std::string shown(std::string_view text) {
    constexpr std::size_t most = 60;
    std::string out;
    for (const char c : text.substr(0, most)) out += c > ' ' && c < '\x7f' ? c : '?';
    if (text.size() > most) out += "...";
    return out;
}

Section::Section(Notes& notes, const Item& item) : notes_(&notes), path_(item.path), line_(item.line()) {
    if (!item.node.IsDefined() || item.node.IsNull()) return;
    if (!item.node.IsMap()) {
        notes.add(line_, path_, "is no map of keys and values; left out");
        return;
    }
    constexpr int deepest = 8;  // an anchor may stand within itself
    add(item.node, deepest);
}

/// The map's own keys, then those of its merge key `<<` (yaml.org/type/merge) that it has not itself.
void Section::add(const YAML::Node& map, int depth) {
    for (const auto& pair : map) {
        if (!pair.first.IsScalar() || pair.first.Scalar() == "<<") continue;
        const auto& key = pair.first.Scalar();
        const bool known =
            std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
        if (!known) entries_.push_back({key, pair.first.Mark().line + 1, pair.second, false});
    }
    if (depth == 0) return;
    for (const auto& pair : map) {
        if (!pair.first.IsScalar() || pair.first.Scalar() != "<<") continue;
        if (pair.second.IsMap()) add(pair.second, depth - 1);
        if (pair.second.IsSequence())
            for (const auto& one : pair.second)
                if (one.IsMap()) add(one, depth - 1);
    }
}

std::string Section::path_of(std::string_view key) const {
    const auto name = shown(key);
    return path_.empty() ? name : fmt::format("{}.{}", path_, name);
}

int Section::line_of(std::string_view key) const {
    for (const auto& e : entries_)
        if (e.key == key) return e.line;
    return line_;
}

Section::Entry* Section::find(std::string_view key) {
    const auto it =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
    if (it == entries_.end()) return nullptr;
    it->read = true;
    return it->value.IsNull() ? nullptr : &*it;
}

bool Section::has(std::string_view key) {
    return find(key) != nullptr;
}

std::optional<std::string> Section::text(std::string_view key) {
    const auto* entry = find(key);
    if (entry == nullptr) return std::nullopt;
    if (entry->value.IsScalar()) return entry->value.Scalar();
    note(key, "is no text; left out");
    return std::nullopt;
}

std::optional<std::string> Section::text(std::initializer_list<std::string_view> keys) {
    std::optional<std::string> out;
    for (const auto key : keys) {
        auto value = text(key);
        if (!out) out = std::move(value);
    }
    return out;
}

std::optional<double> Section::number(std::string_view key) {
    const auto value = text(key);
    if (!value) return std::nullopt;
    double out = 0;
    const auto [end, failed] = std::from_chars(value->data(), value->data() + value->size(), out);
    if (failed == std::errc{} && end == value->data() + value->size() && out >= 0 && out <= 1e15) return out;
    note(key, "is no number that can be used; left out");
    return std::nullopt;
}

std::optional<std::uint64_t> Section::whole(std::string_view key) {
    const auto value = number(key);
    return value ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
}

bool Section::flag(std::string_view key) {
    const auto value = text(key);
    return value && (iequals(*value, "true") || iequals(*value, "yes") || iequals(*value, "on"));
}

Item Section::item(std::string_view key) {
    const auto* entry = find(key);
    return {entry == nullptr ? YAML::Node(YAML::NodeType::Null) : entry->value, path_of(key)};
}

Section Section::map(std::string_view key) {
    Section out(*notes_, item(key));
    out.line_ = line_of(key);
    return out;
}

std::vector<Item> Section::list(std::string_view key) {
    const auto* entry = find(key);
    if (entry == nullptr) return {};
    const auto path = path_of(key);
    if (!entry->value.IsSequence()) return {{entry->value, path}};
    std::vector<Item> out;
    for (const auto& node : entry->value) out.push_back({node, fmt::format("{}[{}]", path, out.size())});
    return out;
}

std::vector<std::string> Section::texts(std::string_view key) {
    std::vector<std::string> out;
    for (const auto& item : list(key))
        if (auto text = item.text()) out.push_back(std::move(*text));
    return out;
}

std::vector<std::pair<std::string, Item>> Section::pairs() {
    std::vector<std::pair<std::string, Item>> out;
    for (auto& entry : entries_) {
        entry.read = true;
        out.emplace_back(entry.key, Item{entry.value, path_of(entry.key)});
    }
    return out;
}

void Section::no_equal(std::string_view key, std::string_view why) {
    if (has(key)) note(key, why.empty() ? "has no equal" : fmt::format("has no equal: {}", why));
}

void Section::no_equal(std::initializer_list<std::string_view> keys, std::string_view why) {
    for (const auto key : keys) no_equal(key, why);
}

void Section::ignore(std::initializer_list<std::string_view> keys) {
    for (const auto key : keys) (void)find(key);
}

void Section::note(std::string_view key, std::string message) {
    notes_->add(line_of(key), path_of(key), std::move(message));
}

void Section::note_here(std::string message) {
    notes_->add(line_, path_, std::move(message));
}

void Section::finish() {
    for (const auto& entry : entries_)
        if (!entry.read) notes_->add(entry.line, path_of(entry.key), "has no equal; left out");
}

}  // namespace spillway::migrate
