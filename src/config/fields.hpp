#pragma once
/// The description of one struct of the configuration: its settings in the order they are read and shown.
///
/// One row describes a setting completely: key, member, type and range (config/codecs.hpp), help, and whether
/// a reload applies it. The parser, `check`, the schema, the docs and the reload's report all use it; the
/// default is the member's initialiser. To add a setting, add a member with its default, and a row:
///
///     fields.add("max_head", &LimitsConfig::max_head_bytes, codec::Size{kKiB, kMiB},
///                {.help = "request line and fields"});
///
/// Ownership: rows refer to other Fields, which outlive them (all are static). Thread rule: const once it is
/// built; read() uses its reader on the calling thread. Errors: reported to the reader's Context.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/setting.hpp"
#include "config/value.hpp"
#include "config/yaml_reader.hpp"

namespace spillway::config {

template <class S>
class Fields {
public:
    using Read = std::function<void(yaml::MapReader&, S&)>;
    using Show = std::function<std::optional<Value>(const S&)>;
    using Keep = std::function<void(const S& running, S& fresh)>;

    /// One setting. `member` is a pointer to a member, or a function from S& to the variable.
    template <class Member, class Codec>
    Fields& add(std::string_view key, Member member, Codec codec, About about) {
        SettingInfo info = start(key, about);
        codec.inform(info);
        const S unset{};
        if (!info.needed && about.default_words.empty())
            if (const auto shown = codec.show(std::invoke(member, unset));
                shown && shown->kind == Value::Kind::scalar && info.kind != SettingKind::secret)
                info.default_value = shown->text;
        return row(
            std::move(info),
            [key, member, codec, needed = about.needed](yaml::MapReader& reader, S& out) {
                if (!needed.empty() && !reader.has(key)) reader.error_here(std::string(needed));
                codec.read(reader, key, std::invoke(member, out));
            },
            [member, codec](const S& in) { return codec.show(std::invoke(member, in)); },
            [member, apply = about.apply](const S& running, S& fresh) {
                if (apply == Apply::restart) std::invoke(member, fresh) = std::invoke(member, running);
            });
    }

    /// A map of settings, described by `fields`. The member may be optional.
    template <class Member, class T>
    Fields& section(std::string_view key, Member member, const Fields<T>& fields, About about = {}) {
        constexpr bool is_optional =
            std::is_same_v<std::remove_cvref_t<std::invoke_result_t<Member, S&>>, std::optional<T>>;
        return row(
            with_children(key, SettingKind::section, fields, about),
            [key, member, &fields](yaml::MapReader& reader, S& out) {
                const auto item = reader.map(key);
                if (!item) return;
                if constexpr (is_optional)
                    fields.read_all(reader.context(), *item, std::invoke(member, out).emplace());
                else
                    fields.read_all(reader.context(), *item, std::invoke(member, out));
            },
            [member, &fields](const S& in) -> std::optional<Value> {
                const auto& value = std::invoke(member, in);
                if constexpr (is_optional)
                    return value ? fields.show_some(*value) : std::nullopt;
                else
                    return fields.show_some(value);
            },
            [member, &fields, apply = about.apply](const S& running, S& fresh) {
                static_cast<void>(fields);  // an optional one is replaced whole
                if (apply == Apply::restart)
                    std::invoke(member, fresh) = std::invoke(member, running);
                else if constexpr (!is_optional)
                    fields.keep_restart(std::invoke(member, running), std::invoke(member, fresh));
            });
    }

    /// A map of settings of this same struct.
    Fields& group(std::string_view key, const Fields& fields, About about = {}) {
        return section(key, std::identity{}, fields, about);
    }

    /// A list of maps of settings. An item that is not a map is reported and left out.
    template <class Member, class T>
    Fields& list(std::string_view key, Member member, const Fields<T>& fields, std::string_view expected,
                 About about = {}) {
        return row(
            with_children(key, SettingKind::list, fields, about),
            [key, member, expected, &fields](yaml::MapReader& reader, S& out) {
                for (const auto& item : reader.list(key, expected)) {
                    T one;
                    if (fields.read_all(reader.context(), item, one))
                        std::invoke(member, out).push_back(std::move(one));
                }
            },
            [member, &fields](const S& in) { return fields.show_list(std::invoke(member, in)); });
    }

    /// A map of settings under each key chosen by the user. An empty key is reported as `empty_name`.
    template <class T>
    Fields& map(std::string_view key, std::map<std::string, T, std::less<>> S::*member,
                const Fields<T>& fields, std::string_view empty_name, About about = {}) {
        return row(
            with_children(key, SettingKind::map, fields, about),
            [key, member, empty_name, &fields](yaml::MapReader& reader, S& out) {
                const auto item = reader.map(key);
                if (!item) return;
                yaml::MapReader pairs(reader.context(), *item);
                for (const auto& [name, at] : pairs.pairs()) {
                    T one;
                    fields.read_all(reader.context(), at, one);
                    if (name.empty()) pairs.error(name, std::string(empty_name));
                    (out.*member).insert_or_assign(name, std::move(one));
                }
            },
            [member, &fields](const S& in) -> std::optional<Value> {
                if ((in.*member).empty()) return std::nullopt;
                Value out = Value::map();
                for (const auto& [name, one] : in.*member)
                    out.add(Value::quoted(name).text, fields.show(one));
                return out;
            });
    }

    /// The last row is shown only where `relevant` holds.
    Fields& shown_if(std::function<bool(const S&)> relevant) {
        auto& show = rows_.back().show;
        show = [relevant = std::move(relevant), show = std::move(show)](const S& in) {
            return relevant(in) ? show(in) : std::optional<Value>();
        };
        return *this;
    }

    /// A setting that needs its own functions.
    Fields& row(SettingInfo info, Read read, Show show, Keep keep = {}) {
        rows_.push_back({std::move(info), std::move(read), std::move(show), std::move(keep)});
        return *this;
    }

    /// Does not show the row of `key`.
    Fields& hide(std::string_view key) {
        for (auto& row : rows_)
            if (row.info.key == key) row.show = {};
        return *this;
    }
    /// Sets how the last row is shown.
    Fields& shown_as(Show show) {
        rows_.back().show = std::move(show);
        return *this;
    }

    /// A setting that another row reads: only described here.
    Fields& mention(std::string_view key, SettingKind kind, About about) {
        SettingInfo info = start(key, about);
        info.kind = kind;
        return row(std::move(info), [](auto&, auto&) {}, {});
    }

    /// A step between rows: derives values from the rows before, or checks that they go together.
    Fields& then(Read step) {
        rows_.push_back({{}, std::move(step), {}, {}});
        return *this;
    }

    /// Runs all rows and steps, without reporting unknown keys.
    void read(yaml::MapReader& reader, S& out) const {
        for (const auto& row : rows_) row.read(reader, out);
    }
    /// Reads all of `item`; false if it is not a map, which has been reported.
    bool read_all(yaml::Context& context, const yaml::Item& item, S& out) const {
        yaml::MapReader reader(context, item);
        if (reader.valid()) read(reader, out);
        reader.finish();
        return reader.valid();
    }

    /// Copies what a reload cannot change from `running` to `fresh`.
    void keep_restart(const S& running, S& fresh) const {
        for (const auto& row : rows_)
            if (row.keep) row.keep(running, fresh);
    }

    [[nodiscard]] Value show(const S& in) const {
        Value out = Value::map();
        for (const auto& row : rows_) {
            if (!row.show) continue;
            if (auto value = row.show(in)) out.add(row.info.key, std::move(*value), row.info.apply);
        }
        return out;
    }
    /// As show(), but nullopt if nothing is set.
    [[nodiscard]] std::optional<Value> show_some(const S& in) const {
        auto out = show(in);
        return out.entries.empty() ? std::optional<Value>() : std::move(out);
    }

    /// A list of them; nullopt if it is empty.
    [[nodiscard]] std::optional<Value> show_list(const std::vector<S>& in) const {
        if (in.empty()) return std::nullopt;
        Value out = Value::list();
        for (const auto& one : in) out.add({}, show(one));
        return out;
    }

    [[nodiscard]] std::vector<SettingInfo> infos() const {
        std::vector<SettingInfo> out;
        for (const auto& row : rows_)
            if (!row.info.key.empty()) out.push_back(row.info);
        return out;
    }

private:
    struct Row {
        SettingInfo info;
        Read read;
        Show show;
        Keep keep;
    };

    template <class T>
    [[nodiscard]] static SettingInfo with_children(std::string_view key, SettingKind kind,
                                                   const Fields<T>& fields, const About& about) {
        SettingInfo out = start(key, about);
        out.kind = kind;
        out.children = fields.infos();
        return out;
    }

    [[nodiscard]] static SettingInfo start(std::string_view key, const About& about) {
        SettingInfo out;
        out.key = key;
        out.help = about.help;
        out.default_words = about.default_words;
        out.needed = !about.needed.empty();
        out.apply = about.apply;
        return out;
    }

    std::vector<Row> rows_;
};

}  // namespace spillway::config
