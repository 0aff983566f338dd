#include "http/parser.hpp"

#include <algorithm>

#include "http/token.hpp"

namespace spillway::http {

namespace {

/// Of a chunked body's lines without content; one chunk's extensions are the caller's to watch.
constexpr std::size_t most_trailer_bytes = 16 * 1024;
constexpr std::size_t most_hex_digits = 15;
constexpr std::size_t most_digits = 18;  // no overflow in 64 bits
/// Connection has a handful of options; more are an attempt to waste time.
constexpr std::size_t most_options = 32;

bool is_control(char c) noexcept {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && c != '\t') || u == 0x7f;
}
/// RFC 3986 §2: URIs are ASCII. No two readers differ about what other bytes stand for.
bool is_target(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}
bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
std::string_view trimmed(std::string_view text) noexcept {
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

/// The next line of `rest`, without its end, which is taken off; nothing: it is not there whole.
std::optional<std::string_view> next_line(std::string_view& rest, bool& bad) noexcept {
    const auto end = rest.find_first_of("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    if (rest[end] == '\n' || (end + 1 < rest.size() && rest[end + 1] != '\n')) {
        bad = true;
        return std::nullopt;
    }
    if (end + 1 == rest.size()) return std::nullopt;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    return line;
}

bool is_version(std::string_view text, unsigned& version) noexcept {
    if (text.size() != 8 || !text.starts_with("HTTP/1.") || (text[7] != '0' && text[7] != '1')) return false;
    version = text[7] == '1' ? 11 : 10;
    return true;
}

bool read_field(std::string_view line, std::string_view& name, std::string_view& value) noexcept {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    name = line.substr(0, colon);
    value = trimmed(line.substr(colon + 1));
    return is_token(name) && std::none_of(value.begin(), value.end(), is_control);
}

bool read_connection(std::string_view value, FieldsMeaning& meaning) noexcept {
    for (;;) {
        const auto comma = value.find(',');
        const std::string_view option = trimmed(value.substr(0, comma));
        if (!option.empty() && !is_token(option)) return false;
        if (++meaning.options > most_options) return false;
        meaning.close = meaning.close || iequals(option, "close");
        meaning.keep_alive = meaning.keep_alive || iequals(option, "keep-alive");
        if (comma == std::string_view::npos) return true;
        value.remove_prefix(comma + 1);
    }
}

/// A length that is said again is no other (RFC 9112 §6.3).
bool read_length(std::string_view digits, FieldsMeaning& meaning) noexcept {
    if (digits.empty() || digits.size() > most_digits) return false;
    std::uint64_t length = 0;
    for (const char c : digits) {
        if (!is_digit(c)) return false;
        length = length * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (meaning.has_length && meaning.length != length) return false;
    meaning.has_length = true;
    meaning.length = length;
    return true;
}

HeadFault read_meaning(std::string_view name, std::string_view value, FieldsMeaning& meaning) noexcept {
    const auto checked = [](bool good) { return good ? HeadFault::none : HeadFault::malformed; };
    switch (name.size()) {
        case 6:
            if (iequals(name, "expect") && iequals(value, "100-continue")) meaning.expects_continue = true;
            break;
        case 10:
            if (iequals(name, "connection")) return checked(read_connection(value, meaning));
            break;
        case 14:
            if (iequals(name, "content-length")) return checked(read_length(value, meaning));
            break;
        case 16:
            if (iequals(name, "proxy-connection")) return checked(read_connection(value, meaning));
            break;
        case 17:
            if (!iequals(name, "transfer-encoding")) break;
            if (!iequals(value, "chunked")) return HeadFault::unknown_coding;
            if (meaning.chunked) return HeadFault::malformed;
            meaning.chunked = true;
            break;
        default:
            break;
    }
    return HeadFault::none;
}

}  // namespace

template <>
bool Parser<true>::read_start(std::string_view line) noexcept {
    const auto method_end = line.find(' ');
    const auto target_end = line.rfind(' ');
    if (method_end == std::string_view::npos || target_end <= method_end + 1) return false;
    head_.method = line.substr(0, method_end);
    head_.target = line.substr(method_end + 1, target_end - method_end - 1);
    return is_token(head_.method) && is_target(head_.target) &&
           is_version(line.substr(target_end + 1), head_.version);
}

template <>
bool Parser<false>::read_start(std::string_view line) noexcept {
    if (line.size() < 13 || line[8] != ' ' || line[12] != ' ' ||
        !is_version(line.substr(0, 8), head_.version))
        return false;
    head_.status = 0;
    for (const char c : line.substr(9, 3)) {
        if (!is_digit(c)) return false;
        head_.status = head_.status * 10 + static_cast<unsigned>(c - '0');
    }
    head_.reason = line.substr(13);
    return std::none_of(head_.reason.begin(), head_.reason.end(), is_control);
}

template <bool is_request>
bool Parser<is_request>::apply_meaning(const FieldsMeaning& meaning) noexcept {
    if (meaning.chunked && (meaning.has_length || head_.version < 11)) return false;
    head_.keep_alive = head_.version >= 11 ? !meaning.close : meaning.keep_alive && !meaning.close;
    head_.content_length = meaning.length;
    if constexpr (is_request) {
        head_.expects_continue = meaning.expects_continue;
    } else {
        // RFC 9112 §6.3.
        if (head_request_ || head_.status < 200 || head_.status == 204 || head_.status == 304) {
            head_.framing = Framing::none;
            return true;
        }
    }
    if (meaning.chunked) {
        head_.framing = Framing::chunked;
    } else if (meaning.has_length || is_request) {
        head_.framing = meaning.length > 0 ? Framing::length : Framing::none;
    } else {
        head_.framing = Framing::until_close;
        head_.keep_alive = false;
    }
    return true;
}

template <bool is_request>
ParseState Parser<is_request>::parse_head(std::string_view bytes, std::size_t& head_size) {
    std::string_view rest = bytes;
    FieldsMeaning meaning;
    HeadFault coding = HeadFault::none;  // an error once the head is whole: until then worse may come
    bool bad = false;
    bool started = false;
    while (const auto line = next_line(rest, bad)) {
        if (!started) {
            if (!read_start(*line)) return failed(HeadFault::malformed);
            started = true;
        } else if (line->empty()) {
            if (coding != HeadFault::none) return failed(coding);
            if (!apply_meaning(meaning)) return failed(HeadFault::malformed);
            head_size = bytes.size() - rest.size();
            return ParseState::head_done;
        } else {
            std::string_view name;
            std::string_view value;
            if (!read_field(*line, name, value)) return failed(HeadFault::malformed);
            if (head_.fields.size() == most_fields) return failed(HeadFault::too_many_fields);
            const HeadFault fault = read_meaning(name, value, meaning);
            if (fault == HeadFault::malformed) return failed(fault);
            if (fault != HeadFault::none) coding = fault;
            head_.fields.add(name, value);
        }
    }
    if (bad) return failed(HeadFault::malformed);
    // The start of a line that cannot become one.
    const auto odd = [&](char c) { return c != '\r' && is_control(c); };
    if (std::any_of(rest.begin(), rest.end(), odd)) return failed(HeadFault::malformed);
    if (!started) {
        constexpr std::string_view version = "HTTP/1.";
        if (is_request) {
            const std::string_view method = rest.substr(0, rest.find(' '));
            if (!std::all_of(method.begin(), method.end(),
                             [](char c) { return c == '\r' || is_token_char(c); }))
                return failed(HeadFault::malformed);
        } else if (rest.substr(0, version.size()) != version.substr(0, rest.size())) {
            return failed(HeadFault::malformed);
        }
    }
    return ParseState::need_more;
}

template class Parser<true>;
template class Parser<false>;

void ChunkedDecoder::read_size(std::string_view line) noexcept {
    std::size_t digits = 0;
    std::uint64_t size = 0;
    for (; digits < line.size(); ++digits) {
        const char c = ascii_lower(line[digits]);
        if (is_digit(c))
            size = size * 16 + static_cast<std::uint64_t>(c - '0');
        else if (c >= 'a' && c <= 'f')
            size = size * 16 + static_cast<std::uint64_t>(c - 'a' + 10);
        else
            break;
        if (digits == most_hex_digits) break;
    }
    const std::string_view rest = trimmed(line.substr(digits));
    const bool good = digits > 0 && digits <= most_hex_digits && (rest.empty() || rest.front() == ';') &&
                      std::none_of(rest.begin(), rest.end(), is_control);
    left_ = size;
    if (!good)
        state_ = State::failed;
    else
        state_ = size > 0 ? State::data : State::trailers;
}

void ChunkedDecoder::read_trailer(std::string_view line) noexcept {
    std::string_view name;
    std::string_view value;
    trailers_ += line.size() + 2;
    if (line.empty())
        state_ = State::done;
    else if (trailers_ > most_trailer_bytes || !read_field(line, name, value))
        state_ = State::failed;
}

std::size_t ChunkedDecoder::decode(std::string_view bytes) {
    pieces_.clear();
    std::string_view rest = bytes;
    while (state_ != State::done && state_ != State::failed) {
        if (state_ == State::data) {
            const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
            if (size == 0) break;
            pieces_.push_back(rest.substr(0, size));
            rest.remove_prefix(size);
            left_ -= size;
            if (left_ == 0) state_ = State::data_end;
            continue;
        }
        if (state_ == State::data_end) {
            if (rest.substr(0, 2) != std::string_view("\r\n").substr(0, rest.size())) state_ = State::failed;
            if (state_ == State::failed || rest.size() < 2) break;
            rest.remove_prefix(2);
            state_ = State::size_line;
            continue;
        }
        bool bad = false;
        const auto line = next_line(rest, bad);
        if (bad) state_ = State::failed;
        if (!line) break;
        if (state_ == State::size_line)
            read_size(*line);
        else
            read_trailer(*line);
    }
    return bytes.size() - rest.size();
}

}  // namespace spillway::http
