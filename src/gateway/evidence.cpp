#include "gateway/evidence.hpp"

#include "base/find_text.hpp"
#include "base/strings.hpp"
#include "gateway/answer_head.hpp"

namespace spillway::gateway {

routing::OperationFacts facts_of(const Asked& asked) noexcept {
    const api::Operation& operation = asked.operation();
    const bool names_one = !asked.deployment.empty() && !asked.names_things() && !asked.affinity.names_model;
    return {.asks_a_model = names_one || &operation != &api::operations::other,
            .answers_json = operation.answers_json};
}

bool begins_as_error(std::string_view body) noexcept {
    constexpr std::string_view key = "\"error\"";
    constexpr std::size_t begin = 512;
    const std::string_view head = body.substr(0, begin);
    for (std::size_t at = find_text(head, key); at != head.npos; at = find_text(head, key, at + key.size())) {
        const std::string_view rest = trim(head.substr(at + key.size()));
        if (!rest.starts_with(':') || !trim(rest.substr(1)).starts_with("null")) return true;
    }
    return false;
}

routing::Evidence evidence_of_answer(unsigned status, std::string_view content_type, std::string_view body,
                                     std::optional<api::ApiError>& error) {
    routing::Evidence e{.came = routing::Came::answer, .status = status};
    const std::string_view text = trim(body);
    if (text.empty()) {
        e.body = routing::BodyShape::empty;
        return e;
    }
    const bool other =
        status < 300 && text.front() != '{' && text.front() != '[' && !begins_event_stream(text);
    if (text.front() == '<' || other || istarts_with(trim(content_type), "text/html")) {
        e.body = routing::BodyShape::html;
        return e;
    }
    // Gemini puts it into a list.
    const bool list = status >= 400 && text.front() == '[' && text.back() == ']';
    const std::string_view object = list ? trim(text.substr(1, text.size() - 2)) : text;
    if (!object.starts_with('{') || (status < 400 && !begins_as_error(object))) return e;
    error = api::parse_error(object, status >= 400);
    if (!error) return e;
    e.body = routing::BodyShape::error;
    e.code = error->code;
    e.type = error->type;
    e.param = error->param;
    e.message = error->message;
    e.content_filter = error->content_filter;
    return e;
}

routing::Evidence evidence_of_event(const api::EventInfo& event, bool output_sent) noexcept {
    return {.came = routing::Came::stream_error,
            .status = 200,
            .body = routing::BodyShape::error,
            .code = event.error_code,
            .type = event.error_type,
            .param = event.error_param,
            .message = event.error_message,
            .content_filter = event.content_filter,
            .output_sent = output_sent};
}

bool refuses_stream_options(unsigned status, std::string_view body) noexcept {
    if (status < 400 && !begins_as_error(body)) return false;
    for (const std::string_view name :
         {"stream_options", "include_usage", "stream options", "extra inputs are not permitted"})
        if (icontains(body, name)) return true;
    return false;
}

}  // namespace spillway::gateway
