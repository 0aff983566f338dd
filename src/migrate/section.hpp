#pragma once
/// Another gateway's configuration, read so that nothing of it is passed over in silence: each key is either
/// read, or noted as without an equal.
///
/// Values are never quoted in a note unless shown() has made them harmless, since one may be a secret.
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

/// What a person must know of one line of the input: what has no equal, and what was assumed.
struct Note {
    int line = 0;  ///< from 1; 0: of the whole file
    std::string key;
    std::string message;
};

class Notes {
public:
    void add(int line, std::string key, std::string message);
    /// In the order of lines.
    [[nodiscard]] std::vector<Note> take();

private:
    std::vector<Note> notes_;
};

/// A value of the input and where it is: `model_list[0].litellm_params`.
struct Item {
    YAML::Node node;
    std::string path;

    [[nodiscard]] int line() const;
    /// Of a scalar, but null.
    [[nodiscard]] std::optional<std::string> text() const;
};

/// `text` cut to what can neither be a long secret nor move a terminal's cursor.
[[nodiscard]] std::string shown(std::string_view text);

class Section {
public:
    /// Anything but a map is noted, unless it is null or absent, and then there are no keys.
    Section(Notes& notes, const Item& item);

    [[nodiscard]] bool has(std::string_view key);
    [[nodiscard]] std::optional<std::string> text(std::string_view key);
    /// The text of the first of `keys` that is there.
    [[nodiscard]] std::optional<std::string> text(std::initializer_list<std::string_view> keys);
    /// Of a text, too; not negative.
    [[nodiscard]] std::optional<double> number(std::string_view key);
    [[nodiscard]] std::optional<std::uint64_t> whole(std::string_view key);
    [[nodiscard]] bool flag(std::string_view key);
    [[nodiscard]] Section map(std::string_view key);
    /// A single value counts as a list of one.
    [[nodiscard]] std::vector<Item> list(std::string_view key);
    [[nodiscard]] std::vector<std::string> texts(std::string_view key);
    [[nodiscard]] Item item(std::string_view key);
    /// Keys and values, for a map whose keys the user chose.
    [[nodiscard]] std::vector<std::pair<std::string, Item>> pairs();

    /// Says of `key`, if it is there, that it has no equal, and `why`.
    void no_equal(std::string_view key, std::string_view why);
    void no_equal(std::initializer_list<std::string_view> keys, std::string_view why);
    /// These need no words: they describe, or say what is so anyway.
    void ignore(std::initializer_list<std::string_view> keys);
    /// At `key`, or at the section if it is not there.
    void note(std::string_view key, std::string message);
    void note_here(std::string message);
    /// Notes each key that nobody asked for.
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

    Notes* notes_;
    std::string path_;
    int line_ = 0;
    std::vector<Entry> entries_;
};

}  // namespace spillway::migrate
