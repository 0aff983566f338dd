#include "gateway/evidence.hpp"

#include "base/strings.hpp"

namespace spillway::gateway {

routing::OperationFacts facts_of(const api::Operation& operation) noexcept {
    return {.asks_a_model = &operation != &api::operations::other, .answers_json = operation.answers_json};
}

bool begins_as_error(std::string_view body) noexcept {
    constexpr std::size_t begin = 64;
    return body.substr(0, begin).find("\"error\"") != body.npos;
}

routing::Evidence evidence_of_answer(unsigned status, std::string_view content_type, std::string_view body,
                                     std::optional<api::ApiError>& error) {
    routing::Evidence e{.came = routing::Came::answer, .status = status};
    const std::string_view text = trim(body);
    if (text.empty()) {
        e.body = routing::BodyShape::empty;
        return e;
    }
    if (text.front() == '<' || istarts_with(trim(content_type), "text/html")) {
        e.body = routing::BodyShape::html;
        return e;
    }
    if (text.front() != '{' || (status < 400 && !begins_as_error(text))) return e;
    error = api::parse_error(text);
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
    if (status != 400 && status != 422) return false;
    for (const std::string_view name : {"stream_options", "include_usage"})
        if (body.find(name) != std::string_view::npos) return true;
    return false;
}

}  // namespace spillway::gateway
