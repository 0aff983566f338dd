#pragma once
/// Writing JSON (RFC 8259): the program's only escaper and only writer. Text from clients is safe to write:
/// bytes that are not UTF-8 become U+FFFD. (For reading, see api/json_reader.hpp and simdjson.)
///
/// A JsonWriter writes piece by piece into its own string. The caller is responsible for the order of calls;
/// commas are added automatically:
///     JsonWriter w;
///     w.open().field("name", name).key("sizes").open_list().number(1).number(2).close_list().close();
///     send(w.take());
/// A JsonField describes a member of an object once: its name, its TypeScript type for the pages, its
/// meaning, and how it is written; write_fields() writes all members of an object. Thread rule: free
/// functions are pure; a JsonWriter is a plain value. Errors: std::bad_alloc only.
#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/pen.hpp"

namespace spillway {

/// Appends the inside of a JSON string; input beyond `max_bytes` is replaced by an ellipsis.
void append_json_text(Pen& out, std::string_view s, std::size_t max_bytes = std::string_view::npos);

/// Appends `text` as a quoted JSON string.
void append_json_string(std::string& out, std::string_view text);

class JsonWriter {
public:
    JsonWriter& open() { return begin('{'); }
    JsonWriter& close() { return end('}'); }
    JsonWriter& open_list() { return begin('['); }
    JsonWriter& close_list() { return end(']'); }
    JsonWriter& key(std::string_view name) {
        comma();
        append_json_string(out_, name);
        out_ += ':';
        first_ = true;
        return *this;
    }
    JsonWriter& text(std::string_view value) {
        comma();
        append_json_string(out_, value);
        return *this;
    }
    JsonWriter& number(std::integral auto value) { return raw(std::to_string(value)); }
    /// With the 15 significant digits that a double keeps (sums of money need them); infinities and NaN,
    /// which JSON lacks, become null.
    JsonWriter& number(double value);
    /// With `decimals` digits after the point.
    JsonWriter& number(double value, int decimals);
    JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
    JsonWriter& null() { return raw("null"); }
    /// Writes `json`, which must be JSON already, as it is.
    JsonWriter& raw(std::string_view json) {
        comma();
        out_ += json;
        return *this;
    }

    JsonWriter& value(std::string_view v) { return text(v); }
    JsonWriter& value(const char* v) { return text(v); }
    JsonWriter& value(const std::string& v) { return text(v); }
    JsonWriter& value(bool v) { return boolean(v); }
    JsonWriter& value(double v) { return number(v); }
    template <std::integral Int>
        requires(!std::same_as<Int, bool>)
    JsonWriter& value(Int v) {
        return number(v);
    }
    template <class T>
    JsonWriter& value(const std::optional<T>& v) {
        return v ? value(*v) : null();
    }
    template <class T>
    JsonWriter& field(std::string_view name, const T& v) {
        return key(name).value(v);
    }

    [[nodiscard]] const std::string& view() const noexcept { return out_; }
    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    void comma() {
        if (!first_) out_ += ',';
        first_ = false;
    }
    JsonWriter& begin(char c) {
        comma();
        out_ += c;
        first_ = true;
        return *this;
    }
    JsonWriter& end(char c) {
        out_ += c;
        first_ = false;
        return *this;
    }

    std::string out_;
    bool first_ = true;
};

template <class From>
struct JsonField {
    std::string_view name;
    std::string_view type;  ///< in TypeScript
    std::string_view help;
    void (*write)(JsonWriter& out, const From& from);  ///< one value
    bool (*present)(const From& from) = nullptr;       ///< null: always written; else only where it says yes
};

template <class From>
void write_fields(JsonWriter& out, const From& from, std::span<const JsonField<From>> fields) {
    out.open();
    for (const auto& field : fields) {
        if (field.present != nullptr && !field.present(from)) continue;
        out.key(field.name);
        field.write(out, from);
    }
    out.close();
}

}  // namespace spillway
