#pragma once
/// Writes JSON (RFC 8259) piece by piece into a string. The caller keeps the order right; commas come by
/// themselves. Thread rule: a plain value.
#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>

#include "api/json_text.hpp"

namespace spillway::chat {

class JsonWriter {
public:
    JsonWriter& open() { return begin('{'); }
    JsonWriter& close() { return end('}'); }
    JsonWriter& open_list() { return begin('['); }
    JsonWriter& close_list() { return end(']'); }
    JsonWriter& key(std::string_view name) {
        comma();
        api::append_json_string(out_, name);
        out_ += ':';
        first_ = true;
        return *this;
    }
    JsonWriter& text(std::string_view value) {
        comma();
        api::append_json_string(out_, value);
        return *this;
    }
    JsonWriter& number(std::integral auto value) { return raw(fmt::format("{}", value)); }
    JsonWriter& number(double value) { return raw(fmt::format("{:.6g}", value)); }
    JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
    JsonWriter& null() { return raw("null"); }
    /// `json` as it is: text that is JSON already.
    JsonWriter& raw(std::string_view json) {
        comma();
        out_ += json;
        return *this;
    }

    JsonWriter& field(std::string_view name, std::string_view value) { return key(name).text(value); }
    JsonWriter& field(std::string_view name, const char* value) { return key(name).text(value); }
    JsonWriter& field(std::string_view name, const std::string& value) { return key(name).text(value); }
    JsonWriter& field(std::string_view name, bool value) { return key(name).boolean(value); }
    JsonWriter& field(std::string_view name, double value) { return key(name).number(value); }
    template <std::integral Int>
        requires(!std::same_as<Int, bool>)
    JsonWriter& field(std::string_view name, Int value) {
        return key(name).number(value);
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

}  // namespace spillway::chat
