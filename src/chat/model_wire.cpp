#include "chat/model_wire.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <stdexcept>

#include "api/error.hpp"
#include "base/strings.hpp"
#include "base/utf8.hpp"

namespace spillway::chat {
namespace {

using Kind = ModelError::Kind;
namespace dom = simdjson::dom;

constexpr std::size_t longest_message = 600;

/// The first field of these that is there.
std::string field(const http::Fields& fields, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names)
        if (const auto value = fields.get(name); !value.empty()) return std::string(value);
    return {};
}

std::string text_of(dom::element parent, const char* name) {
    std::string_view text;
    if (parent[name].get(text) != simdjson::SUCCESS) return {};
    return std::string(text);
}

Kind kind_of(unsigned status, const std::optional<api::ApiError>& error) {
    if (error && error->content_filter) return Kind::content_filter;
    if (error && error->code == "context_length_exceeded") return Kind::too_long;
    if (status == 429) return Kind::rate_limited;
    if (status == 401 || status == 403) return Kind::unauthorized;
    if (status == 404) return Kind::not_found;
    if (status == 408) return Kind::timeout;
    if (status == 413) return Kind::too_long;
    return status >= 500 ? Kind::server : Kind::bad_request;
}

}  // namespace

std::string_view to_string(Kind kind) noexcept {
    switch (kind) {
        case Kind::rate_limited:
            return "rate_limited";
        case Kind::content_filter:
            return "content_filter";
        case Kind::too_long:
            return "too_long";
        case Kind::unauthorized:
            return "unauthorized";
        case Kind::not_found:
            return "not_found";
        case Kind::bad_request:
            return "bad_request";
        case Kind::server:
            return "server";
        case Kind::unreachable:
            return "unreachable";
        case Kind::timeout:
            return "timeout";
        case Kind::broken:
            return "broken";
        case Kind::cancelled:
            return "cancelled";
    }
    return "server";
}

void throw_exception_from_error(const ModelError& e, const boost::source_location&) {
    throw std::runtime_error(e.message);
}

Reply read_reply(const http::ResponseHead& head) {
    Reply out;
    out.status = head.status;
    out.backend = field(head.fields,
                        {"x-spillway-backend", "x-openai-backend-id", "x-openai-backendurl", "x-ms-region"});
    out.attempts = parse_int<unsigned>(head.fields.get("x-spillway-attempts")).value_or(0);
    out.request_id = field(head.fields, {"apim-request-id", "x-request-id", "x-ms-client-request-id"});
    return out;
}

ModelError read_refusal(const Reply& reply, std::string_view body, std::optional<Duration> retry_after) {
    ModelError out;
    out.reply = reply;
    out.retry_after = retry_after;
    const auto error = api::parse_error(body);
    out.kind = kind_of(reply.status, error);
    out.message = error && !error->message.empty()
                      ? std::string(first_characters(error->message, longest_message))
                      : fmt::format("{} {}", reply.status, http::reason_phrase(reply.status));
    if (error) out.code = error->code;
    return out;
}

ModelError from_net_error(const http::NetError& e, bool answer_begun) {
    using Net = http::NetError::Kind;
    ModelError out;
    out.message = e.message;
    switch (e.kind) {
        case Net::cancelled:
            out.kind = Kind::cancelled;
            break;
        case Net::timeout:
            out.kind = Kind::timeout;
            break;
        case Net::closed:
        case Net::protocol:
            out.kind = answer_begun ? Kind::broken : Kind::unreachable;
            break;
        default:
            out.kind = Kind::unreachable;
            break;
    }
    return out;
}

StreamDelta read_delta(std::string_view data) {
    StreamDelta out;
    if (trim(data) == "[DONE]") {
        out.done = true;
        return out;
    }
    dom::parser parser;
    dom::element root;
    if (parser.parse(data.data(), data.size()).get(root) != simdjson::SUCCESS) return out;
    if (dom::element error; root["error"].get(error) == simdjson::SUCCESS && !error.is_null()) {
        out.error = read_refusal({}, data, std::nullopt);
        if (out.error->kind == Kind::bad_request) out.error->kind = Kind::broken;
        return out;
    }
    out.model = text_of(root, "model");
    if (dom::element usage; root["usage"].get(usage) == simdjson::SUCCESS && usage.is_object())
        out.usage = api::parse_usage(simdjson::to_string(usage));
    dom::element choice;
    if (root["choices"].at(0).get(choice) != simdjson::SUCCESS) return out;
    out.finish_reason = text_of(choice, "finish_reason");
    if (dom::element delta; choice["delta"].get(delta) == simdjson::SUCCESS) {
        out.text = text_of(delta, "content");
        if (out.text.empty()) out.text = text_of(delta, "refusal");
    }
    return out;
}

Result<std::string> read_answer_text(std::string_view body) {
    dom::parser parser;
    dom::element root;
    std::string_view text;
    if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS ||
        root["choices"].at(0)["message"]["content"].get(text) != simdjson::SUCCESS)
        return fail("the answer has no text");
    return std::string(text);
}

Result<std::vector<std::vector<float>>> read_embeddings(std::string_view body, std::size_t count) {
    dom::parser parser;
    dom::element root;
    dom::array data;
    if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS ||
        root["data"].get(data) != simdjson::SUCCESS)
        return fail("the answer has no embeddings");
    std::vector<std::vector<float>> out(count);
    std::size_t seen = 0;
    for (const dom::element item : data) {
        std::uint64_t index = seen;
        dom::element place;
        if (item["index"].get(place) == simdjson::SUCCESS && place.get(index) != simdjson::SUCCESS)
            return fail("an embedding's index is not a number");
        dom::array values;
        if (index >= count || item["embedding"].get(values) != simdjson::SUCCESS)
            return fail("an embedding is not as asked for");
        std::vector<float>& vector = out[static_cast<std::size_t>(index)];
        vector.clear();
        for (const dom::element value : values) {
            double number = 0;
            if (value.get(number) != simdjson::SUCCESS) return fail("an embedding is not of numbers");
            vector.push_back(static_cast<float>(number));
        }
        ++seen;
    }
    for (const auto& vector : out)
        if (vector.empty() || vector.size() != out.front().size()) return fail("an embedding is missing");
    return out;
}

}  // namespace spillway::chat
