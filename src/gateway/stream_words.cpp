#include "gateway/stream_words.hpp"

#include "api/error.hpp"

namespace spillway::gateway {

std::string data_event(std::string_view text) {
    std::string out = "data: ";
    for (const char c : text) {
        if (c == '\r') continue;
        out.push_back(c);
        if (c == '\n') out.append("data: ");
    }
    return out.append("\n\n");
}

std::string refusal_event(const Refusal& why, api::StreamEvents events) {
    if (events == api::StreamEvents::typed) {
        if (why.body.empty()) return api::sse_error_responses(why.message, why.code, 0);
        const auto error = api::parse_error(why.body);
        return error ? api::sse_error_responses(error->message, error->code, 0)
                     : api::sse_error_responses(why.body, "server_error", 0);
    }
    return data_event(refusal_body(why));
}

}  // namespace spillway::gateway
