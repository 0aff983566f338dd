// What the chat app reads from files and from the model: decoded text is UTF-8, its pieces lie in it and
// leave nothing out, search terms hold no query syntax, stream events and embeddings never throw.
#include <algorithm>

#include "base/strings.hpp"
#include "base/utf8.hpp"
#include "chat/chunks.hpp"
#include "chat/ingest.hpp"
#include "chat/model_wire.hpp"
#include "chat/prompt.hpp"
#include "chat/terms.hpp"
#include "chat/text_file.hpp"
#include "chat/user_settings.hpp"
#include "check.hpp"

using namespace spillway;

namespace {

void check_text(const std::string& text) {
    SPILLWAY_EXPECT(is_utf8(text));
    const std::vector<std::string> pages = {text};
    std::size_t covered = 0;
    for (const chat::Chunk& c : chat::cut_chunks(pages, {40, 8})) {
        SPILLWAY_EXPECT(c.length > 0 && c.offset + c.length <= text.size());
        SPILLWAY_EXPECT(is_utf8(std::string_view(text).substr(c.offset, c.length)));
        // Between two pieces there is white space at most.
        if (c.offset > covered)
            SPILLWAY_EXPECT(trim(std::string_view(text).substr(covered, c.offset - covered)).empty());
        covered = std::max(covered, c.offset + c.length);
    }
    SPILLWAY_EXPECT(trim(std::string_view(text).substr(covered)).empty());
    for (const std::string& term : chat::search_terms(text))
        SPILLWAY_EXPECT(!term.empty() && term.find_first_of(" \"'()*^:+-\n") == std::string::npos);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::as_text(data, size);
    if (const auto text = chat::decode_text(bytes)) check_text(*text);
    const std::string name = chat::clean_name(bytes);
    SPILLWAY_EXPECT(name.find_first_of("/\\[]\n") == std::string::npos && is_utf8(name));
    SPILLWAY_EXPECT(count_characters(chat::title_of(bytes)) <= bytes.size() + 1);
    SPILLWAY_EXPECT(chat::parse_follow_ups(bytes).size() <= 3);
    static_cast<void>(chat::read_delta(bytes));
    static_cast<void>(chat::read_embeddings(bytes, 2));
    if (const auto settings = chat::read_user_settings(bytes))
        SPILLWAY_EXPECT(chat::read_user_settings(chat::to_json(*settings)).has_value());
    return 0;
}
