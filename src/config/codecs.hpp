#pragma once
/// How a setting of each type is read, shown and described: the types that rows of config/fields.hpp have.
///
/// A codec is a value with three functions: read(reader, key, variable) reports what is wrong and leaves the
/// variable as it was; show(value) gives what the file would say, nothing if it is not set; inform() fills
/// what the type knows into a SettingInfo. Thread rule: values.
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

using Shown = std::optional<Value>;

struct Flag {
    void read(yaml::MapReader& reader, std::string_view key, bool& out) const { reader.boolean(key, out); }
    [[nodiscard]] Shown show(bool value) const { return Value::scalar(value ? "true" : "false"); }
    void inform(SettingInfo& info) const { info.kind = SettingKind::boolean; }
};

/// A whole number from `min` to `max`, or what the variable's type holds if that is less. An optional one is
/// not set until the file says so; with `zero_is_none`, 0 is not shown.
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
    [[nodiscard]] Shown show(T value) const {
        return zero_is_none && value == 0 ? Shown() : Value::scalar(std::to_string(value));
    }
    [[nodiscard]] Shown show(const std::optional<std::uint64_t>& value) const {
        return value ? Value::scalar(std::to_string(*value)) : Shown();
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
    [[nodiscard]] Shown show(double value) const;
    void inform(SettingInfo& info) const;
};

struct Time {
    Duration min = std::chrono::milliseconds(1);
    Duration max = std::chrono::hours(24);
    void read(yaml::MapReader& reader, std::string_view key, Duration& out) const {
        reader.duration(key, out, min, max);
    }
    [[nodiscard]] Shown show(Duration value) const;
    void inform(SettingInfo& info) const;
};

struct Size {
    std::size_t min = 0;
    std::size_t max = 0;
    void read(yaml::MapReader& reader, std::string_view key, std::size_t& out) const {
        reader.size(key, out, min, max);
    }
    [[nodiscard]] Shown show(std::size_t value) const;
    void inform(SettingInfo& info) const;
};

struct Text {
    void read(yaml::MapReader& reader, std::string_view key, std::string& out) const {
        reader.text(key, out);
    }
    [[nodiscard]] Shown show(const std::string& value) const;
    void inform(SettingInfo& info) const { info.kind = SettingKind::text; }
};

/// Letters, digits, '.', '_', '-'.
struct Name : Text {
    std::string_view expected = yaml::kNameExpected;
    void read(yaml::MapReader& reader, std::string_view key, std::string& out) const;
};

/// A path, seen from the file's folder.
struct Path : Text {
    void read(yaml::MapReader& reader, std::string_view key, std::string& out) const {
        reader.path(key, out);
    }
};

/// A file that must be there and hold something now.
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
    [[nodiscard]] Shown show(E value) const {
        for (const auto& [name, each] : choices)
            if (each == value) return Value::quoted(name);
        return std::nullopt;
    }
    void inform(SettingInfo& info) const {
        info.kind = SettingKind::choice;
        for (const auto& c : choices) info.choices.emplace_back(c.first);
    }
};

/// From KEY, KEY_env or KEY_file.
struct SecretText {
    void read(yaml::MapReader& reader, std::string_view key, Secret& out) const {
        if (auto secret = reader.secret(key)) out = std::move(*secret);
    }
    [[nodiscard]] Shown show(const Secret& value) const;
    void inform(SettingInfo& info) const { info.kind = SettingKind::secret; }
};

/// An address and a port.
struct Address {
    void read(yaml::MapReader& reader, std::string_view key, ListenConfig& out) const;
    [[nodiscard]] Shown show(const ListenConfig& value) const;
    void inform(SettingInfo& info) const { info.kind = SettingKind::text; }
};

struct TextList {
    std::string_view expected;       ///< "expected a list of deployments"
    std::string_view item_expected;  ///< "expected a deployment's name"
    bool (*fits)(const std::string&) = [](const std::string& text) { return !text.empty(); };
    void read(yaml::MapReader& reader, std::string_view key, std::vector<std::string>& out) const;
    [[nodiscard]] Shown show(const std::vector<std::string>& value) const;
    void inform(SettingInfo& info) const { info.kind = SettingKind::list; }
};

/// A map from names that the user chooses to texts.
struct TextMap {
    using Map = std::map<std::string, std::string, std::less<>>;
    std::string_view empty_name;  ///< "has an empty name; expected …"
    void read(yaml::MapReader& reader, std::string_view key, Map& out) const;
    [[nodiscard]] Shown show(const Map& value) const;
    void inform(SettingInfo& info) const { info.kind = SettingKind::map; }
};

}  // namespace spillway::config::codec
