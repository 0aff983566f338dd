#include "http/message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace spillway::http {

std::string_view reason_phrase(unsigned status) noexcept {
    using Known = std::pair<unsigned, std::string_view>;
    static constexpr std::array phrases{
        Known{100, "Continue"},
        Known{101, "Switching Protocols"},
        Known{102, "Processing"},
        Known{103, "Early Hints"},
        Known{200, "OK"},
        Known{201, "Created"},
        Known{202, "Accepted"},
        Known{203, "Non-Authoritative Information"},
        Known{204, "No Content"},
        Known{205, "Reset Content"},
        Known{206, "Partial Content"},
        Known{207, "Multi-Status"},
        Known{208, "Already Reported"},
        Known{226, "IM Used"},
        Known{300, "Multiple Choices"},
        Known{301, "Moved Permanently"},
        Known{302, "Found"},
        Known{303, "See Other"},
        Known{304, "Not Modified"},
        Known{305, "Use Proxy"},
        Known{307, "Temporary Redirect"},
        Known{308, "Permanent Redirect"},
        Known{400, "Bad Request"},
        Known{401, "Unauthorized"},
        Known{402, "Payment Required"},
        Known{403, "Forbidden"},
        Known{404, "Not Found"},
        Known{405, "Method Not Allowed"},
        Known{406, "Not Acceptable"},
        Known{407, "Proxy Authentication Required"},
        Known{408, "Request Timeout"},
        Known{409, "Conflict"},
        Known{410, "Gone"},
        Known{411, "Length Required"},
        Known{412, "Precondition Failed"},
        Known{413, "Payload Too Large"},
        Known{414, "URI Too Long"},
        Known{415, "Unsupported Media Type"},
        Known{416, "Range Not Satisfiable"},
        Known{417, "Expectation Failed"},
        Known{421, "Misdirected Request"},
        Known{422, "Unprocessable Entity"},
        Known{423, "Locked"},
        Known{424, "Failed Dependency"},
        Known{425, "Too Early"},
        Known{426, "Upgrade Required"},
        Known{428, "Precondition Required"},
        Known{429, "Too Many Requests"},
        Known{431, "Request Header Fields Too Large"},
        Known{451, "Unavailable For Legal Reasons"},
        Known{499, "Client Closed Request"},
        Known{500, "Internal Server Error"},
        Known{501, "Not Implemented"},
        Known{502, "Bad Gateway"},
        Known{503, "Service Unavailable"},
        Known{504, "Gateway Timeout"},
        Known{505, "HTTP Version Not Supported"},
        Known{507, "Insufficient Storage"},
        Known{508, "Loop Detected"},
        Known{511, "Network Authentication Required"},
    };
    const auto* const at = std::lower_bound(phrases.begin(), phrases.end(), status,
                                            [](const Known& known, unsigned s) { return known.first < s; });
    return at != phrases.end() && at->first == status ? at->second : "Unknown";
}

void append_status_line(std::string& out, unsigned status) {
    if (status == 200) {
        out.append("HTTP/1.1 200 OK\r\n");
        return;
    }
    fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
}

}  // namespace spillway::http
