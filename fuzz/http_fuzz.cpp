// Heads and bodies of HTTP/1.1: every view lies inside the bytes given, what is found does not depend on how
// the bytes were cut up, and no head is accepted that two readers could frame differently.
#include <algorithm>
#include <string>

#include "check.hpp"
#include "http/parser.hpp"
#include "http/simple_head.hpp"

using namespace spillway;
using namespace spillway::http;

namespace {

bool inside(std::string_view part, std::string_view whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

template <bool is_request>
struct Read {
    ParseState state = ParseState::need_more;
    std::size_t head = 0;
    Framing framing = Framing::none;
    std::string body;
    bool body_done = false;
    bool body_bad = false;
    std::size_t body_used = 0;

    /// Reads a message; its body comes in pieces of `step` bytes.
    Read(std::string_view text, std::size_t step) {
        typename Parser<is_request>::Head parsed;
        Parser<is_request> parser(parsed);
        state = parser.parse_head(text, head);
        SPILLWAY_EXPECT((state == ParseState::error) == (parser.fault() != HeadFault::none));
        if (state != ParseState::head_done) return;
        SPILLWAY_EXPECT(head <= text.size());
        for (const Field& f : parsed.fields) {
            SPILLWAY_EXPECT(inside(f.name, text) && inside(f.value, text));
            SPILLWAY_EXPECT(f.value.find_first_of("\r\n") == std::string_view::npos);
        }
        const bool coded = parsed.fields.has("transfer-encoding");
        SPILLWAY_EXPECT(!coded || (parsed.version == 11 && !parsed.fields.has("content-length")));
        if (is_request) SPILLWAY_EXPECT(coded == (parsed.framing == Framing::chunked));
        framing = parsed.framing;
        if (framing == Framing::chunked) read_chunks(text.substr(head), step);
        SPILLWAY_EXPECT(parsed.fields.size() <= most_fields);
    }

    void read_chunks(std::string_view text, std::size_t step) {
        ChunkedDecoder chunks;
        for (std::size_t end = 0; end < text.size() && !body_done && !body_bad;) {
            end = std::min(text.size(), end + step);
            const std::string_view window = text.substr(body_used, end - body_used);
            const std::size_t used = chunks.decode(window);
            SPILLWAY_EXPECT(used <= window.size());
            for (const std::string_view piece : chunks.pieces()) {
                SPILLWAY_EXPECT(inside(piece, window));
                body.append(piece);
            }
            body_used += used;
            body_bad = chunks.failed();
            body_done = chunks.is_done();
        }
    }
};

/// What the fast reader takes, the parser takes with the same result.
template <bool is_request>
void check_simple(std::string_view text) {
    std::size_t scanned = 0;
    text = text.substr(0, find_head_end(text, scanned));
    typename Parser<is_request>::Head simple;
    if (!read_simple_head(text, simple)) return;
    for (const Field& f : simple.fields) {
        const std::string_view line = f.line();
        if (line.empty()) continue;
        SPILLWAY_EXPECT(inside(line, text));
        SPILLWAY_EXPECT(line == std::string(f.name) + ": " + std::string(f.value) + "\r\n");
    }
    typename Parser<is_request>::Head full;
    Parser<is_request> parser(full);
    std::size_t size = 0;
    SPILLWAY_EXPECT(parser.parse_head(text, size) == ParseState::head_done && size == text.size());
    SPILLWAY_EXPECT(simple.version == full.version && simple.keep_alive == full.keep_alive);
    SPILLWAY_EXPECT(simple.framing == full.framing && simple.content_length == full.content_length);
    if constexpr (is_request)
        SPILLWAY_EXPECT(simple.method == full.method && simple.target == full.target &&
                        simple.expects_continue == full.expects_continue);
    else
        SPILLWAY_EXPECT(simple.status == full.status && simple.reason == full.reason);
    SPILLWAY_EXPECT(simple.fields.size() == full.fields.size());
    for (auto a = simple.fields.begin(), b = full.fields.begin(); a != simple.fields.end(); ++a, ++b)
        SPILLWAY_EXPECT(a->name == b->name && a->value == b->value);
}

template <bool is_request>
void check(std::string_view text) {
    check_simple<is_request>(text);
    const Read<is_request> whole(text, std::max<std::size_t>(text.size(), 1));
    const Read<is_request> cut(text, 3);
    SPILLWAY_EXPECT(whole.state == cut.state && whole.head == cut.head && whole.framing == cut.framing);
    SPILLWAY_EXPECT(whole.body_done == cut.body_done);
    if (whole.body_done) SPILLWAY_EXPECT(whole.body == cut.body && whole.body_used == cut.body_used);
    if (whole.state == ParseState::head_done) {
        // The search for the head's end agrees with the parser, however the bytes come.
        std::size_t scanned = 0;
        std::size_t end = 0;
        for (std::size_t n = 1; n <= text.size() && end == 0; ++n)
            end = find_head_end(text.substr(0, n), scanned);
        SPILLWAY_EXPECT(end == whole.head);
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::as_text(data, size);
    check<true>(text);
    check<false>(text);
    return 0;
}
