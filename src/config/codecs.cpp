#include "config/codecs.hpp"

#include <fmt/format.h>

#include "config/listen.hpp"
#include "config/units.hpp"

namespace spillway::config::codec {

void Whole::inform(SettingInfo& info) const {
    info.kind = SettingKind::whole;
    info.minimum = std::to_string(min);
    if (max != std::numeric_limits<std::uint64_t>::max()) info.maximum = std::to_string(max);
}

OptionalValue Number::show(double value) const {
    return zero_is_none && value == 0 ? OptionalValue() : Value::scalar(fmt::format("{}", value));
}
void Number::inform(SettingInfo& info) const {
    info.kind = SettingKind::number;
    info.minimum = fmt::format("{}", min);
    info.maximum = fmt::format("{}", max);
}

OptionalValue Time::show(Duration value) const {
    return Value::scalar(format_duration(value));
}
void Time::inform(SettingInfo& info) const {
    info.kind = SettingKind::duration;
    info.minimum = format_duration(min);
    info.maximum = format_duration(max);
}

OptionalValue Size::show(std::size_t value) const {
    return Value::scalar(format_size(value));
}
void Size::inform(SettingInfo& info) const {
    info.kind = SettingKind::size;
    info.minimum = format_size(min);
    info.maximum = format_size(max);
}

OptionalValue Text::show(const std::string& value) const {
    return value.empty() ? OptionalValue() : Value::quoted(value);
}

void Name::read(yaml::MapReader& reader, std::string_view key, std::string& out) const {
    std::string value;
    reader.text(key, value);
    if (value.empty()) return;
    if (!yaml::is_name(value)) return reader.error(key, std::string(expected));
    out = std::move(value);
}

void ReadableFile::read(yaml::MapReader& reader, std::string_view key, std::string& out) const {
    std::string path;
    reader.path(key, path);
    if (path.empty()) return;
    auto content = reader.context().sources().read_file(path);
    if (!content)
        reader.error(key, "the file " + content.error().message);
    else if (content->empty())
        reader.error(key, "the file is empty");
    if (content) wipe(*content);  // it may be a private key
    out = std::move(path);
}

OptionalValue SecretText::show(const Secret& value) const {
    return value.empty() ? OptionalValue() : Value::secret(value);
}

void Address::read(yaml::MapReader& reader, std::string_view key, ListenConfig& out) const {
    const auto text = reader.scalar(key, "expected an address and a port, such as 127.0.0.1:8080");
    if (!text) return;
    auto listen = parse_listen(*text);
    if (!listen) return reader.error(key, listen.error().message);
    out = std::move(*listen);
}
OptionalValue Address::show(const ListenConfig& value) const {
    return Value::quoted(to_string(value));
}

void TextList::read(yaml::MapReader& reader, std::string_view key, std::vector<std::string>& out) const {
    for (const auto& item : reader.list(key, expected)) {
        if (item.node.IsScalar() && fits(item.node.Scalar()))
            out.push_back(item.node.Scalar());
        else
            reader.context().error(item.node.Mark(), item.path, std::string(item_expected));
    }
}
OptionalValue TextList::show(const std::vector<std::string>& value) const {
    if (value.empty()) return std::nullopt;
    Value out = Value::list();
    for (const auto& text : value) out.add({}, Value::quoted(text));
    return out;
}

void TextMap::read(yaml::MapReader& reader, std::string_view key, Map& out) const {
    const auto item = reader.map(key);
    if (!item) return;
    yaml::MapReader map(reader.context(), *item);
    for (const auto& [from, to] : map.pairs()) {
        std::string target;
        map.text(from, target);
        if (from.empty()) map.error(from, std::string(empty_name));
        if (!target.empty()) out.insert_or_assign(from, std::move(target));
    }
}
OptionalValue TextMap::show(const Map& value) const {
    if (value.empty()) return std::nullopt;
    Value out = Value::map();
    for (const auto& [from, to] : value) out.add(Value::quoted(from).text, Value::quoted(to));
    return out;
}

}  // namespace spillway::config::codec
