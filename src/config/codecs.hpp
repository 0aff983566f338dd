#pragma once
/// How a setting of each type is read, shown and described: the types of the rows in config/fields.hpp.
///
/// A codec is a value with three functions: read(reader, key, variable) reports what is wrong and then leaves
/// the variable unchanged; show(value) returns what the file would contain, nullopt if it is not set;
/// inform() adds what the type knows to a SettingInfo. Thread rule: values. Errors: problems, reported to the
/// reader.
#include <array>
#include <concepts>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/gateway.hpp"
#include "config/setting.hpp"
#include "config/value.hpp"
#include "config/yaml_reader.hpp"

namespace spillway::config::codec {

using OptionalValue = std::optional<Value>;

struct Flag {
    void read(yaml::MapReader& reader, std::string_view key, bool& out) const { reader.boolean(key, out); }
    [[nodiscard]] OptionalValue show(bool value) const { return Value::scalar(value ? "true" : "false"); }
    void inform(SettingInfo& info) const { info.kind = SettingKind::boolean; }
};

/// A whole number from `min` to `max`, or to the largest of the variable's type if that is less. An optional
/// one stays unset unless the file sets it; with `zero_is_none`, 0 is not shown.
struct Whole {
    std::uint64_t min = 0;
    std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
    bool zero_is_none = false;

    template <std::unsigned_integral T>
    void read(yaml::MapReader& reader, std::string_view key, T& out) const {
        reader.whole<T>(key, out, static_cast<T>(min), most<T>());
    }
    void read(yaml::MapReader& reader, std::string_view key, std::optional<std::uint64_t>& out) const {
        std::uint64_t value = 0;
        reader.whole<std::uint64_t>(key, value, min, max);
        if (value != 0) out = value;
    }
    template <std::unsigned_integral T>
    [[nodiscard]] OptionalValue show(T value) const {
        return zero_is_none && value == 0 ? OptionalValue() : Value::scalar(std::to_string(value));
    }
    [[nodiscard]] OptionalValue show(const std::optional<std::uint64_t>& value) const {
        return value ? Value::scalar(std::to_string(*value)) : OptionalValue();
    }
    void inform(SettingInfo& info) const;

private:
    template <class T>
    [[nodiscard]] T most() const noexcept {
        return static_cast<T>(std::min<std::uint64_t>(max, std::numeric_limits<T>::max()));
    }
};

struct Number {
    double min = 0;
    double max = 0;
    bool zero_is_none = false;
    void read(yaml::MapReader& reader, std::string_view key, double& out) const {
        reader.real(key, out, min, max);
    }
    [[nodiscard]] OptionalValue show(double value) const;
    void inform(SettingInfo& info) const;
};

struct Time {
    Duration min = std::chrono::milliseconds(1);
    Duration max = std::chrono::hours(24);
    void read(yaml::MapReader& reader, std::string_view key, Duration& out) const {
        reader.duration(key, out, min, max);
    }
    [[nodiscard]] OptionalValue show(Duration value) const;
    void inform(SettingInfo& info) const;
};

struct Size {
    std::size_t min = 0;
    std::size_t max = 0;
    void read(yaml::MapReader& reader, std::string_view key, std::size_t& out) const {
        reader.size(key, out, min, max);
    }
    [[nodiscard]] OptionalValue show(std::size_t value) const;
    void inform(SettingInfo& info) const;
};

struct Text {
    void read(yaml::MapReader& reader, std::string_view key, std::string& out) const {
        reader.text(key, out);
    }
    [[nodiscard]] OptionalValue show(const std::string& value) const;
    void inform(SettingInfo& info) const { info.kind = SettingKind::text; }
};

/// Letters, digits, '.', '_', '-'.
struct Name : Text {
    std::string_view expected = yaml::kNameExpected;
    void read(yaml::MapReader& reader, std::string_view key, std::string& out) const;
};

/// A path, relative to the file's folder.
struct Path : Text {
    void read(yaml::MapReader& reader, std::string_view key, std::string& out) const {
        reader.path(key, out);
    }
};

/// A file that must exist and not be empty.
struct ReadableFile : Text {
    void read(yaml::MapReader& reader, std::string_view key, std::string& out) const;
};

template <class E>
struct Choice {
    std::vector<std::pair<std::string_view, E>> choices;

    void read(yaml::MapReader& reader, std::string_view key, E& out) const {
        std::vector<std::string_view> names;
        for (const auto& c : choices) names.push_back(c.first);
        if (const auto i = reader.choice_index(key, names)) out = choices[*i].second;
    }
    [[nodiscard]] OptionalValue show(E value) const {
        for (const auto& [name, each] : choices)
            if (each == value) return Value::quoted(name);
        return std::nullopt;
    }
    void inform(SettingInfo& info) const {
        info.kind = SettingKind::choice;
        for (const auto& c : choices) info.choices.emplace_back(c.first);
    }
};

/// Given as KEY, KEY_env or KEY_file.
struct SecretText {
    void read(yaml::MapReader& reader, std::string_view key, Secret& out) const {
        if (auto secret = reader.secret(key)) out = std::move(*secret);
    }
    [[nodiscard]] OptionalValue show(const Secret& value) const;
    void inform(SettingInfo& info) const { info.kind = SettingKind::secret; }
};

/// An address and a port.
struct Address {
    void read(yaml::MapReader& reader, std::string_view key, ListenConfig& out) const;
    [[nodiscard]] OptionalValue show(const ListenConfig& value) const;
    void inform(SettingInfo& info) const { info.kind = SettingKind::text; }
};

struct TextList {
    std::string_view expected;       ///< "expected a list of deployments"
    std::string_view item_expected;  ///< "expected a deployment's name"
    bool (*fits)(const std::string&) = [](const std::string& text) { return !text.empty(); };
    void read(yaml::MapReader& reader, std::string_view key, std::vector<std::string>& out) const;
    [[nodiscard]] OptionalValue show(const std::vector<std::string>& value) const;
    void inform(SettingInfo& info) const { info.kind = SettingKind::list; }
};

/// A map from names chosen by the user to texts.
struct TextMap {
    using Map = std::map<std::string, std::string, std::less<>>;
    std::string_view empty_name;  ///< "has an empty name; expected …"
    void read(yaml::MapReader& reader, std::string_view key, Map& out) const;
    [[nodiscard]] OptionalValue show(const Map& value) const;
    void inform(SettingInfo& info) const { info.kind = SettingKind::map; }
};

}  // namespace spillway::config::codec
