#pragma once
/// A configuration as a tree of texts, for printing and for comparison with another.
///
/// Secrets print as `***` and are compared by digest. Thread rule: a plain value. Errors: none.
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
    std::string text;            ///< scalar: as in YAML
    std::string digest;          ///< scalar: of a secret, never printed
    std::vector<Entry> entries;  ///< map and list; in a list the keys are empty

    [[nodiscard]] static Value scalar(std::string text);
    /// `text`, quoted where YAML requires it.
    [[nodiscard]] static Value quoted(std::string_view text);
    /// `text` in quotes, valid in JSON and YAML. Must not contain control characters.
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

/// YAML that the loaders read back, except for secrets: sections and lists in block style, the rest in
/// braces.
[[nodiscard]] std::string to_yaml(const Value& map);

/// Indented JSON (RFC 8259). Scalars must be JSON already: numbers, true, false, Value::json_text().
[[nodiscard]] std::string to_json(const Value& value);

/// One setting that differs.
struct Difference {
    std::string path;    ///< `limits.max_body`, `backends.one.weight`
    std::string before;  ///< empty: not set, or a whole section (also below)
    std::string after;
    Apply apply = Apply::live;

    /// `limits.max_body: 32MiB -> 1KiB`, `backends.two: added`; for secrets only that they changed.
    [[nodiscard]] std::string to_string() const;
};

/// In the order of the settings; items of a list are matched by name if they have one.
[[nodiscard]] std::vector<Difference> differences(const Value& before, const Value& after);

}  // namespace spillway::config
