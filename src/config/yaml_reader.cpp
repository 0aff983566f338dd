// MapReader: keys of one map.
#include "config/yaml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/strings.hpp"
#include "config/units.hpp"

namespace spillway::config::yaml {
namespace {

/// Whether an unknown key may be shown: a word, not what could be a secret in a key's place.
bool is_word(std::string_view key) noexcept {
    return !key.empty() && key.size() <= 40 && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
    });
}

/// Whether a name of an environment variable may be shown; a key pasted in its place rarely looks so.
bool is_shoutable(std::string_view name) noexcept {
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool is_env_name(std::string_view name) noexcept {
    return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
           std::all_of(name.begin(), name.end(), [](char c) {
               const char l = ascii_lower(c);
               return (l >= 'a' && l <= 'z') || (l >= '0' && l <= '9') || l == '_';
           });
}

}  // namespace

MapReader::MapReader(Context& context, const Item& item)
    : context_(&context), path_(item.path), mark_(item.node.Mark()) {
    if (item.node.IsNull()) return;
    if (!item.node.IsMap()) {
        valid_ = false;
        context.error(mark_, path_, "expected a map of keys and values");
        return;
    }
    for (const auto& pair : item.node) {
        const auto at = pair.first.Mark();
        if (!pair.first.IsScalar()) {
            context.error(at, path_, "expected a plain word as key");
            continue;
        }
        const auto& key = pair.first.Scalar();
        const auto same =
            std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
        if (same == entries_.end())
            entries_.push_back({key, at, pair.second});
        else
            context.error(at, is_word(key) ? path_of(key) : path_,
                          fmt::format("is given twice, first in line {}", same->key_mark.line + 1));
    }
}

std::string MapReader::path_of(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

const MapReader::Entry* MapReader::find(std::string_view key) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
    const auto it =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
    return it == entries_.end() ? nullptr : &*it;
}

bool MapReader::has(std::string_view key) {
    return find(key) != nullptr;
}

YAML::Mark MapReader::mark_of(std::string_view key) const {
    for (const auto& e : entries_)
        if (e.key == key) return e.value.IsNull() ? e.key_mark : e.value.Mark();
    return mark_;
}

void MapReader::error(std::string_view key, std::string message) {
    context_->error(mark_of(key), path_of(key), std::move(message));
}
void MapReader::warning(std::string_view key, std::string message) {
    context_->warning(mark_of(key), path_of(key), std::move(message));
}
void MapReader::error_here(std::string message) {
    context_->error(mark_, path_, std::move(message));
}

std::optional<std::string> MapReader::scalar(std::string_view key, std::string_view expected) {
    const auto* entry = find(key);
    if (entry == nullptr) return std::nullopt;
    if (entry->value.IsScalar()) return entry->value.Scalar();
    error(key, entry->value.IsNull() ? fmt::format("has no value; {}", expected) : std::string(expected));
    return std::nullopt;
}

void MapReader::text(std::string_view key, std::string& out) {
    auto value = scalar(key, "expected a text");
    if (!value) return;
    const bool printable = std::none_of(value->begin(), value->end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
    });
    if (value->empty()) return error(key, "is empty; expected a text");
    if (!printable) return error(key, "holds control characters; expected a text of one line");
    out = std::move(*value);
}

void MapReader::path(std::string_view key, std::string& out) {
    std::string value;
    text(key, value);
    if (!value.empty()) out = context_->resolve(value);
}

void MapReader::boolean(std::string_view key, bool& out) {
    constexpr std::string_view expected = "expected true or false";
    const auto value = scalar(key, expected);
    if (!value) return;
    for (const std::string_view yes : {"true", "yes", "on"})
        if (iequals(*value, yes)) out = true;
    for (const std::string_view no : {"false", "no", "off"})
        if (iequals(*value, no)) out = false;
    constexpr std::string_view all[]{"true", "yes", "on", "false", "no", "off"};
    if (std::none_of(std::begin(all), std::end(all), [&](auto a) { return iequals(*value, a); }))
        error(key, std::string(expected));
}

void MapReader::duration(std::string_view key, Duration& out, Duration min, Duration max) {
    const auto expected = fmt::format("expected a duration such as 500ms, 10s or 2m, from {} to {}",
                                      format_duration(min), format_duration(max));
    const auto value = scalar(key, expected);
    if (!value) return;
    const auto d = parse_duration(*value);
    if (!d || *d < min || *d > max) return error(key, expected);
    out = *d;
}

void MapReader::size(std::string_view key, std::size_t& out, std::size_t min, std::size_t max) {
    const auto expected = fmt::format("expected a size such as 64KiB, 4MiB or 65536, from {} to {}",
                                      format_size(min), format_size(max));
    const auto value = scalar(key, expected);
    if (!value) return;
    const auto n = parse_size(*value);
    if (!n || *n < min || *n > max) return error(key, expected);
    out = static_cast<std::size_t>(*n);
}

void MapReader::real(std::string_view key, double& out, double min, double max) {
    const auto expected = fmt::format("expected a number from {} to {}", min, max);
    const auto value = scalar(key, expected);
    if (!value) return;
    // With an exponent as well, which JSON and YAML have.
    double n{};
    const char* const last = value->data() + value->size();
    const auto [end, ec] = std::from_chars(value->data(), last, n);
    if (ec != std::errc{} || end != last || !(n >= min && n <= max)) return error(key, expected);
    out = n;
}

std::optional<std::uint64_t> MapReader::whole_number(std::string_view key, std::uint64_t min,
                                                     std::uint64_t max) {
    const auto expected = fmt::format("expected a whole number from {} to {}", min, max);
    const auto value = scalar(key, expected);
    if (!value) return std::nullopt;
    const auto n = parse_int<std::uint64_t>(*value);
    if (n && *n >= min && *n <= max) return n;
    error(key, expected);
    return std::nullopt;
}

std::optional<std::size_t> MapReader::choice_index(std::string_view key,
                                                   const std::vector<std::string_view>& names) {
    const auto expected = fmt::format("expected {}", fmt::join(names, " or "));
    const auto value = scalar(key, expected);
    if (!value) return std::nullopt;
    const auto it = std::find(names.begin(), names.end(), *value);
    if (it != names.end()) return static_cast<std::size_t>(it - names.begin());
    error(key, expected + did_you_mean(*value, names));
    return std::nullopt;
}

std::optional<Secret> MapReader::secret(std::string_view key,
                                        std::initializer_list<std::string_view> others) {
    const auto env_key = fmt::format("{}_env", key);
    const auto file_key = fmt::format("{}_file", key);
    std::vector<std::string_view> keys{key, env_key, file_key};
    keys.insert(keys.end(), others);
    std::string_view first;
    for (const auto k : keys) {
        if (!has(k)) continue;
        if (!first.empty()) {
            error(k, fmt::format("is given besides {}; expected one of {}", first, fmt::join(keys, ", ")));
            return std::nullopt;
        }
        first = k;
    }

    std::optional<std::string> value;
    std::string prefix;
    if (first == key) {
        value = scalar(key, "expected a text");
    } else if (first == env_key) {
        const auto name = scalar(env_key, "expected the name of an environment variable");
        if (!name) return std::nullopt;
        const auto shown = is_shoutable(*name) ? *name : std::string("named here");
        prefix = fmt::format("the environment variable {} ", shown);
        if (!is_env_name(*name)) {
            error(env_key, "expected the name of an environment variable");
            return std::nullopt;
        }
        value = context_->sources().env(*name);
        if (!value) error(env_key, prefix + "is not set");
    } else if (first == file_key) {
        std::string file;
        path(file_key, file);
        if (file.empty()) return std::nullopt;
        prefix = "the file ";
        auto content = context_->sources().read_file(file);
        if (content)
            value = std::move(*content);
        else
            error(file_key, prefix + content.error().message);
    }
    if (!value) return std::nullopt;
    // Files end with a line break, and variables set from files do too.
    Secret secret{first == key ? std::string_view(*value) : trim(*value)};
    wipe(*value);
    if (const auto fault = secret_fault(secret.reveal()); !fault.empty()) {
        error(first, prefix + std::string(fault));
        return std::nullopt;
    }
    if (const auto doubt = secret_doubt(secret.reveal(), 0); !doubt.empty()) warning(first, prefix + doubt);
    return secret;
}

namespace {

/// The name in `$KEY`, `${KEY:-none}`, `$(KEY)`, `%KEY%`, `os.environ/KEY` or `env.KEY`; else empty.
std::string_view variable_in(std::string_view value) {
    constexpr std::pair<std::string_view, std::string_view> forms[]{
        {"${", "}"}, {"$(", ")"}, {"$", ""}, {"%", "%"}, {"os.environ/", ""}, {"env.", ""}, {"env:", ""}};
    for (const auto& [open, close] : forms) {
        if (!value.starts_with(open) || !value.ends_with(close)) continue;
        if (value.size() <= open.size() + close.size()) continue;
        auto name = value.substr(open.size(), value.size() - open.size() - close.size());
        name = name.substr(0, name.find(':'));
        if (is_env_name(name)) return name;
    }
    return {};
}

bool is_placeholder(std::string_view value) {
    constexpr std::string_view words[]{"your",   "changeme", "change-me", "change_me",  "replace",
                                       "insert", "todo",     "example",   "placeholder"};
    const bool word = std::any_of(std::begin(words), std::end(words),
                                  [&](std::string_view w) { return istarts_with(value, w); });
    const bool crosses = value.size() >= 3 && value.find_first_not_of("xX.-") == std::string_view::npos;
    return word || crosses || (value.starts_with("{{") && value.ends_with("}}")) ||
           (value.starts_with('<') && value.ends_with('>'));
}

}  // namespace

std::string secret_doubt(std::string_view value, std::size_t least_length) {
    if (const auto name = variable_in(value); !name.empty())
        return fmt::format(
            "is taken as it stands, as there is no interpolation; to take {} from the "
            "environment, give its name in …_env",
            is_shoutable(name) ? name : "it");
    if (is_placeholder(value)) return "looks like a placeholder that was not filled in";
    if (value.size() < least_length)
        return fmt::format("has fewer than {} characters, which can be guessed", least_length);
    return {};
}

std::optional<Item> MapReader::any(std::string_view key) {
    const auto* entry = find(key);
    if (entry == nullptr) return std::nullopt;
    return Item{entry->value, path_of(key)};
}

std::optional<Item> MapReader::map(std::string_view key) {
    auto item = any(key);
    if (item && item->node.IsNull()) return std::nullopt;
    return item;
}

std::vector<Item> MapReader::list(std::string_view key, std::string_view expected) {
    std::vector<Item> out;
    const auto item = any(key);
    if (!item || item->node.IsNull()) return out;
    if (!item->node.IsSequence()) {
        error(key, std::string(expected));
        return out;
    }
    for (std::size_t i = 0; i < item->node.size(); ++i)
        out.push_back({item->node[i], fmt::format("{}[{}]", item->path, i)});
    return out;
}

bool MapReader::is_empty_list(std::string_view key) {
    const auto item = any(key);
    return !item || item->node.IsNull() || (item->node.IsSequence() && item->node.size() == 0);
}

void MapReader::require_unique(std::string_view key, std::string_view kind, const std::string& value) {
    if (value.empty()) return;
    if (const auto owner = context_->register_name(kind, value, path_))
        error(key, fmt::format("the name {} is taken by {}", value, *owner));
}

std::vector<std::pair<std::string, Item>> MapReader::pairs() {
    std::vector<std::pair<std::string, Item>> out;
    for (const auto& e : entries_) {
        known_.push_back(e.key);
        out.emplace_back(e.key, Item{e.value, path_of(e.key)});
    }
    return out;
}

void MapReader::finish() {
    const std::vector<std::string_view> known(known_.begin(), known_.end());
    for (const auto& e : entries_) {
        if (std::find(known.begin(), known.end(), e.key) != known.end()) continue;
        const auto near = nearest(e.key, known);
        const bool shown = is_word(e.key);
        context_->error(e.key_mark, shown ? path_of(e.key) : path_,
                        fmt::format("{} known key; {}", shown ? "is not a" : "holds something that is no",
                                    near.empty() ? fmt::format("expected {}", fmt::join(known, ", "))
                                                 : fmt::format("did you mean {}?", near)));
    }
}

}  // namespace spillway::config::yaml
