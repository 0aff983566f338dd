#include "http/message.hpp"

#include <fmt/format.h>

#include <boost/beast/http/status.hpp>
#include <iterator>

namespace spillway::http {

std::string_view reason_phrase(unsigned status) noexcept {
    const auto known = boost::beast::http::int_to_status(status);
    if (known == boost::beast::http::status::unknown) return "Unknown";
    const auto text = boost::beast::http::obsolete_reason(known);
    return {text.data(), text.size()};
}

void append_status_line(std::string& out, unsigned status) {
    if (status == 200) {
        out.append("HTTP/1.1 200 OK\r\n");
        return;
    }
    fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
}

}  // namespace spillway::http
