#pragma once
/// Reads another gateway's configuration so that nothing is ignored silently: each key is either read, or
/// noted as having no equivalent.
///
/// Notes quote values only after shown() has made them harmless, since one may be a secret.
/// Ownership: Notes outlives its Sections; nodes share yaml-cpp's document. Thread rule: one thread.
/// Errors: a value of another type than expected is noted, and counts as absent.
#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spillway::migrate {

/// A note on one line of the input: what has no equivalent, and what was assumed.
struct Note {
    int line = 0;  ///< from 1; 0: the whole file
    std::string key;
    std::string message;
};

class Notes {
public:
    void add(int line, std::string key, std::string message);
    /// Moves the notes out, ordered by line.
    [[nodiscard]] std::vector<Note> take();

private:
    std::vector<Note> notes_;
};

/// A value of the input and its path: `model_list[0].litellm_params`.
struct Item {
    YAML::Node node;
    std::string path;

    [[nodiscard]] int line() const;
    /// Of a scalar, but null.
    [[nodiscard]] std::optional<std::string> text() const;
};

/// `text` shortened so that it cannot be a long secret, and without control characters.
[[nodiscard]] std::string shown(std::string_view text);

class Section {
public:
    /// Anything but a map is noted (unless null or absent), and has no keys.
    Section(Notes& notes, const Item& item);

    [[nodiscard]] bool has(std::string_view key);
    [[nodiscard]] std::optional<std::string> text(std::string_view key);
    /// The text of the first of `keys` that is present.
    [[nodiscard]] std::optional<std::string> text(std::initializer_list<std::string_view> keys);
    /// Also from a text; not negative.
    [[nodiscard]] std::optional<double> number(std::string_view key);
    [[nodiscard]] std::optional<std::uint64_t> whole(std::string_view key);
    [[nodiscard]] bool flag(std::string_view key);
    [[nodiscard]] Section map(std::string_view key);
    /// A single value counts as a list of one.
    [[nodiscard]] std::vector<Item> list(std::string_view key);
    [[nodiscard]] std::vector<std::string> texts(std::string_view key);
    [[nodiscard]] Item item(std::string_view key);
    /// Keys and values, for a map with keys chosen by the user.
    [[nodiscard]] std::vector<std::pair<std::string, Item>> pairs();

    /// Notes for `key`, if present, that it has no equivalent, and `why`.
    void no_equal(std::string_view key, std::string_view why);
    void no_equal(std::initializer_list<std::string_view> keys, std::string_view why);
    /// Ignores keys that only describe, or state what is the case anyway.
    void ignore(std::initializer_list<std::string_view> keys);
    /// Adds a note at `key`, or at the section if the key is absent.
    void note(std::string_view key, std::string message);
    void note_here(std::string message);
    /// Notes each key that was not read.
    void finish();

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::string path_of(std::string_view key) const;
    [[nodiscard]] int line() const noexcept { return line_; }
    [[nodiscard]] int line_of(std::string_view key) const;
    [[nodiscard]] Notes& notes() const noexcept { return *notes_; }

private:
    struct Entry {
        std::string key;
        int line = 0;
        YAML::Node value;
        bool read = false;
    };
    [[nodiscard]] Entry* find(std::string_view key);
    void add(const YAML::Node& map, int depth);

    Notes* notes_;
    std::string path_;
    int line_ = 0;
    std::vector<Entry> entries_;
};

}  // namespace spillway::migrate
