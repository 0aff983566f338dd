#pragma once
/// A configuration as a tree of texts: to be printed, and to be compared with another.
///
/// Secrets print as `***` and compare by their digest. Thread rule: a value.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/secret.hpp"
#include "config/setting.hpp"

namespace spillway::config {

struct Value {
    struct Entry;
    enum class Kind : std::uint8_t { nothing, scalar, map, list };

    Kind kind = Kind::nothing;
    std::string text;            ///< scalar: as YAML would have it
    std::string digest;          ///< scalar: of a secret, never printed
    std::vector<Entry> entries;  ///< map and list; in a list the keys are empty

    [[nodiscard]] static Value scalar(std::string text);
    /// `text` with quotes where YAML needs them.
    [[nodiscard]] static Value quoted(std::string_view text);
    /// `text` in quotes, as JSON and YAML have it. No control characters are expected in it.
    [[nodiscard]] static Value json_text(std::string_view text);
    [[nodiscard]] static Value secret(const Secret& secret);
    [[nodiscard]] static Value map();
    [[nodiscard]] static Value list();
    void add(std::string key, Value value, Apply apply = Apply::live);

    /// The scalar under `key` of a map; empty if there is none.
    [[nodiscard]] std::string_view text_of(std::string_view key) const noexcept;
};

struct Value::Entry {
    std::string key;
    Value value;
    Apply apply = Apply::live;
};

/// YAML that the loaders read back, but for secrets: sections and lists in lines, what is in them in braces.
[[nodiscard]] std::string to_yaml(const Value& map);

/// JSON (RFC 8259) in lines. Scalars must be JSON as they are: numbers, true, false, Value::json_text().
[[nodiscard]] std::string to_json(const Value& value);

/// One setting that differs.
struct Difference {
    std::string path;    ///< `limits.max_body`, `backends.one.weight`
    std::string before;  ///< empty: was not set, or is a whole section (also below)
    std::string after;
    Apply apply = Apply::live;

    /// `limits.max_body: 32MiB -> 1KiB`, `backends.two: added`; of secrets only that they changed.
    [[nodiscard]] std::string to_string() const;
};

/// In the order of the settings; the items of a list of named things are told apart by their names.
[[nodiscard]] std::vector<Difference> differences(const Value& before, const Value& after);

}  // namespace spillway::config
