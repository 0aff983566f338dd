// How a refusal is written.
#include <algorithm>

#include "api/error.hpp"
#include "gateway/asked.hpp"
#include "http/message.hpp"

namespace spillway::gateway {

std::int64_t retry_milliseconds(Duration retry_in) noexcept {
    // Clocks differ by a little, and timers fire early: who waits exactly this long is not to come too soon.
    constexpr Duration margin = std::chrono::milliseconds(20);
    return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::milliseconds>(retry_in + margin).count());
}

std::int64_t retry_seconds(Duration retry_in) noexcept {
    return (retry_milliseconds(retry_in) + 999) / 1000;
}

std::string refusal_body(const Refusal& why) {
    return why.body.empty() ? api::error_json(why.message, why.type, why.code) : why.body;
}

void append_refusal_fields(std::string& out, const Refusal& why) {
    http::append_field(out, "content-type",
                       why.content_type.empty() ? std::string_view("application/json") : why.content_type);
    if (why.retry_in) {
        http::append_field(out, "retry-after", std::to_string(retry_seconds(*why.retry_in)));
        http::append_field(out, "retry-after-ms", std::to_string(retry_milliseconds(*why.retry_in)));
    }
    if (why.status == 401) out.append("www-authenticate: Bearer\r\n");  // RFC 9110 §11.6.1
    out.append(why.fields);
    if (why.final) out.append("x-should-retry: false\r\n");
}

}  // namespace spillway::gateway
