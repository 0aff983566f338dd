// Answers' bodies and events: usage found from the tail is that of a whole parse, errors are read without
// harm, and may_matter() never says no to an event that does.
#include <simdjson.h>

#include <string>

#include "api/error.hpp"
#include "api/stream_event.hpp"
#include "api/usage.hpp"
#include "base/json.hpp"
#include "check.hpp"

using namespace spillway;

namespace {

/// The last `usage` of the outermost object, by simdjson; `valid` tells whether the body is JSON. Its bytes
/// are taken as they are: written anew, a number may become another one (-0, which is no count, becomes 0).
std::optional<api::Usage> usage_of(std::string_view body, bool& valid) {
    static simdjson::dom::parser parser;
    static simdjson::ondemand::parser reader;
    valid = parser.parse(body.data(), body.size()).error() == simdjson::SUCCESS;
    std::optional<api::Usage> usage;
    if (!valid) return usage;
    const simdjson::padded_string text(body);
    simdjson::ondemand::document document;
    simdjson::ondemand::object members;
    if (reader.iterate(text).get(document) != simdjson::SUCCESS ||
        document.get_object().get(members) != simdjson::SUCCESS)
        return usage;
    for (auto member : members) {
        if (member.unescaped_key().value() != "usage") continue;
        simdjson::ondemand::object value;
        std::string_view raw;
        usage.reset();
        if (member.value().get_object().get(value) == simdjson::SUCCESS &&
            value.raw_json().get(raw) == simdjson::SUCCESS)
            usage = api::parse_usage(raw);
    }
    return usage;
}

void check_event(api::EventClassifier& classifier, std::string_view event, std::string_view data) {
    const api::EventInfo info = classifier.classify(event, data);
    SPILLWAY_EXPECT(info.has_usage || info.usage == api::Usage{});
    const bool matters = info.has_usage || info.kind == api::EventKind::error ||
                         info.kind == api::EventKind::done || info.kind == api::EventKind::terminal;
    SPILLWAY_EXPECT(!matters || api::EventClassifier::may_matter(event, data));
    std::string message;
    append_json_string(message, info.error_message);
    SPILLWAY_EXPECT(simdjson::validate_utf8(message));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static api::EventClassifier classifier;
    const std::string_view body = fuzz::as_text(data, size);
    const auto found = api::find_usage(body);
    bool valid = false;
    const auto expected = usage_of(body, valid);
    // Keys written with escapes are not looked for.
    if (valid && body.find('\\') == std::string_view::npos) SPILLWAY_EXPECT(found == expected);
    (void)api::parse_usage(body);
    if (const auto error = api::parse_error(body))
        SPILLWAY_EXPECT(
            api::parse_error(api::error_json(error->message, error->type, error->code, error->param)));
    check_event(classifier, {}, body);
    check_event(classifier, "error", body);
    check_event(classifier, "response.completed", body);
    const std::size_t line = body.find('\n');
    if (line != std::string_view::npos) check_event(classifier, body.substr(0, line), body.substr(line + 1));
    return 0;
}
