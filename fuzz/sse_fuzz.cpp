// Event streams: however they are cut into chunks, no byte is lost and the events mean the same.
#include <string>
#include <utility>
#include <vector>

#include "api/sse.hpp"
#include "check.hpp"

using namespace spillway;

namespace {

using Events = std::vector<std::pair<std::string, std::string>>;

void drain(api::SseSplitter& splitter, Events& events, std::string& raws) {
    api::SseEvent e;
    while (splitter.next(e)) {
        SPILLWAY_EXPECT(!e.raw.empty());
        raws += e.raw;
        if (e.has_data) events.emplace_back(e.event, e.data);
        SPILLWAY_EXPECT(e.has_data || e.data.empty());
    }
}

/// The events of `text` in chunks whose sizes `cuts` tells, one byte each, again and again.
Events split(std::string_view text, std::string_view cuts, std::size_t max_event, bool& too_large) {
    api::SseSplitter splitter(max_event);
    Events events;
    std::string seen;
    std::string fed;
    for (std::size_t i = 0; !text.empty() && !splitter.too_large(); ++i) {
        const std::size_t wanted =
            cuts.empty() ? text.size() : 1U + static_cast<unsigned char>(cuts[i % cuts.size()]) % 40U;
        const std::string_view head = text.substr(0, wanted);
        const std::vector<char> chunk(head.begin(), head.end());  // memory of its own
        text.remove_prefix(head.size());
        fed.append(chunk.data(), chunk.size());
        splitter.feed({chunk.data(), chunk.size()});
        drain(splitter, events, seen);
    }
    SPILLWAY_EXPECT(seen + std::string(splitter.pending()) == fed);
    too_large = splitter.too_large();
    return events;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t cut_count = data[0] % 8U;
    const std::size_t max_event = data[1] == 0 ? 64 : api::SseSplitter::default_max_event;
    std::string_view text = fuzz::as_text(data + 2, size - 2);
    const std::string_view cuts = text.substr(0, cut_count);
    text.remove_prefix(cuts.size());
    bool whole_too_large = false;
    bool cut_too_large = false;
    const Events whole = split(text, {}, max_event, whole_too_large);
    const Events cut = split(text, cuts, max_event, cut_too_large);
    if (whole_too_large || cut_too_large) return 0;
    SPILLWAY_EXPECT(whole == cut);
    return 0;
}
