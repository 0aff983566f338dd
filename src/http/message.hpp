#pragma once
/// Heads of HTTP/1.1 messages (RFC 9112) as views into the connection's buffer. Thread rule: plain values.
/// Ownership: views; a request's are valid during its Exchange, a response's until the next head is read.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/pen.hpp"
#include "http/fields.hpp"

namespace spillway::http {

/// How the body that follows a head is delimited (RFC 9112 §6.3).
enum class Framing : std::uint8_t { none, length, chunked, until_close };

struct RequestHead {
    std::string_view method;
    std::string_view target;  ///< origin-form; absolute-form is reduced to it
    unsigned version = 11;    ///< 10 or 11, or 20 for HTTP/2
    bool keep_alive = true;
    bool expects_continue = false;
    Framing framing = Framing::none;
    std::uint64_t content_length = 0;
    Fields fields;
};

struct ResponseHead {
    unsigned status = 0;
    std::string_view reason;
    unsigned version = 11;
    bool keep_alive = true;
    Framing framing = Framing::none;
    std::uint64_t content_length = 0;
    Fields fields;
};

/// The standard phrase of a status code, or "Unknown".
[[nodiscard]] std::string_view reason_phrase(unsigned status) noexcept;

/// Appends "name: value\r\n". Values are written unchanged: pass only parsed values, or our own.
inline void append_field(std::string& out, std::string_view name, std::string_view value) {
    Pen pen(out, name.size() + value.size() + 4);
    pen.text(name);
    pen.text(": ");
    pen.text(value);
    pen.text("\r\n");
}
void append_status_line(std::string& out, unsigned status);

}  // namespace spillway::http
