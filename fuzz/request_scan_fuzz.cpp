// Request bodies: accepted exactly if simdjson's DOM parser takes them for an object, the fields agree with
// that DOM, and what edited() makes of them is again JSON that says what was asked for.
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <string>

#include "api/request_scan.hpp"
#include "check.hpp"

using namespace spillway;

namespace {

struct Model {
    bool valid = false;
    bool object = false;
    bool judged = true;  // false: the two may well differ
    std::string name;
    bool stream = false;
    bool shallow = true;  // no schema is deeper than is looked into
    std::size_t tools = 0;
    std::size_t schema_chars = 0;
};

std::size_t characters(std::string_view utf8) {
    std::size_t count = 0;
    for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xc0U) == 0x80U ? 0U : 1U;
    return count;
}

/// As RequestScan::schema_chars, of one value no deeper than it looks.
std::size_t schema_chars(const simdjson::dom::element& value) {
    std::size_t sum = 0;
    if (simdjson::dom::object object; value.get(object) == simdjson::SUCCESS) {
        for (const auto member : object) sum += characters(member.key) + 3 + schema_chars(member.value);
    } else if (simdjson::dom::array array; value.get(array) == simdjson::SUCCESS) {
        for (const auto item : array) sum += 3 + schema_chars(item);
    } else if (std::string_view text; value.get(text) == simdjson::SUCCESS) {
        sum = characters(text);
    } else {
        sum = 4;
    }
    return sum;
}

std::size_t depth_of(const simdjson::dom::element& value) {
    std::size_t most = 0;
    if (simdjson::dom::object object; value.get(object) == simdjson::SUCCESS) {
        for (const auto member : object) most = std::max(most, 1 + depth_of(member.value));
    } else if (simdjson::dom::array array; value.get(array) == simdjson::SUCCESS) {
        for (const auto item : array) most = std::max(most, 1 + depth_of(item));
    }
    return most;
}

Model model_of(std::string_view body) {
    static simdjson::dom::parser parser;
    Model m;
    simdjson::dom::element root;
    const auto error = parser.parse(body.data(), body.size()).get(root);
    m.valid = error == simdjson::SUCCESS;
    // simdjson also refuses numbers that no double holds, unpaired surrogates, and one level less of depth.
    m.judged = m.valid || (error != simdjson::NUMBER_ERROR && error != simdjson::STRING_ERROR &&
                           error != simdjson::DEPTH_ERROR);
    simdjson::dom::object object;
    if (!m.valid || root.get(object) != simdjson::SUCCESS) return m;
    m.object = true;
    std::array<std::size_t, 4> schemas{};
    std::array<std::size_t, 2> items{};
    constexpr std::array<std::string_view, 4> names{"tools", "functions", "response_format", "text"};
    for (const auto member : object) {  // the last counts
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (member.key != names[i]) continue;
            if (depth_of(member.value) > 30) m.shallow = false;
            const bool container = member.value.is_object() || member.value.is_array();
            schemas[i] = container ? schema_chars(member.value) : 0;
            simdjson::dom::array array;
            if (i < 2) items[i] = member.value.get(array) == simdjson::SUCCESS ? array.size() : 0;
        }
        if (member.key == "model") {
            std::string_view text;
            m.name = member.value.get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
        }
        if (member.key == "stream") {
            bool flag = false;
            m.stream = member.value.get(flag) == simdjson::SUCCESS && flag;
        }
    }
    m.tools = items[0] + items[1];
    for (const std::size_t chars : schemas) m.schema_chars += chars;
    return m;
}

void check_edit(std::string_view body, const api::RequestScan& scan, bool judged) {
    static api::RequestScanner scanner;
    std::string scratch;
    const api::BodyPieces pieces = api::edited(body, scan, "new\"model", true, scratch);
    std::string after;
    for (const std::string_view piece : pieces) after += piece;
    SPILLWAY_EXPECT(after.size() == api::total_size(pieces));
    api::RequestScan again;
    SPILLWAY_EXPECT(scanner.scan(after, again) == api::ScanError::none);
    SPILLWAY_EXPECT(again.model == "new\"model");
    SPILLWAY_EXPECT(again.stream == scan.stream);
    SPILLWAY_EXPECT(again.prompt_chars == scan.prompt_chars);
    SPILLWAY_EXPECT(again.prompt_items == scan.prompt_items);
    SPILLWAY_EXPECT(again.media == scan.media);
    SPILLWAY_EXPECT(again.schema_chars == scan.schema_chars);
    const bool editable =
        !scan.has_stream_options || scan.options_is_object ||
        body.substr(scan.stream_options_span.offset, scan.stream_options_span.length) == "null";
    SPILLWAY_EXPECT(again.include_usage == editable);
    SPILLWAY_EXPECT(!judged || model_of(after).valid);
    const api::BodyPieces same = api::edited(body, scan, {}, false, scratch);
    SPILLWAY_EXPECT(same.size() == 1 && same[0] == body);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static api::RequestScanner scanner;
    const std::string_view body = fuzz::as_text(data, size);
    api::RequestScan scan;
    const api::ScanError error = scanner.scan(body, scan);
    const Model m = model_of(body);
    const bool accepted = error == api::ScanError::none;
    if (m.judged) {
        SPILLWAY_EXPECT(accepted == m.object);
        SPILLWAY_EXPECT((error == api::ScanError::not_object) == (m.valid && !m.object));
    }
    if (!accepted) return 0;
    if (m.judged) {
        SPILLWAY_EXPECT(scan.model == m.name);
        SPILLWAY_EXPECT(scan.stream == m.stream);
        SPILLWAY_EXPECT(scan.tools == m.tools || m.tools > 0xffffff);
        SPILLWAY_EXPECT(!m.shallow || scan.schema_chars == m.schema_chars);
    }
    SPILLWAY_EXPECT(scan.media.pictures <= size);
    SPILLWAY_EXPECT(scan.schema_chars <= 4 * size);
    SPILLWAY_EXPECT(scan.prompt_chars <= size);
    SPILLWAY_EXPECT(scan.prompt_token_ids <= size);
    SPILLWAY_EXPECT(scan.prompt_items <= size);
    SPILLWAY_EXPECT(scan.n >= 1);
    check_edit(body, scan, m.judged);
    return 0;
}
