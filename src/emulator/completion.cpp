#include "emulator/completion.hpp"

#include <algorithm>

#include "emulator/answer.hpp"
#include "emulator/tokens.hpp"

namespace spillway::emulator {
namespace {

void set_text(Completion& c, Answer&& answer) {
    c.text = std::move(answer.text);
    c.tokens = answer.tokens;
    if (answer.cut) c.finish = Finish::length;
}

}  // namespace

std::string_view to_string(Finish finish) noexcept {
    switch (finish) {
        case Finish::stop:
            return "stop";
        case Finish::length:
            return "length";
        case Finish::tool_calls:
            return "tool_calls";
        case Finish::content_filter:
            return "content_filter";
    }
    return "stop";
}

Completion complete(const ModelRequest& r) {
    Completion c;
    if (r.tool_call) {
        c.tool = r.tool_call->name;
        const std::size_t name = count_tokens(c.tool);
        c.finish = Finish::tool_calls;
        const std::size_t room = r.max_tokens > name ? r.max_tokens - name : 1;
        set_text(c, bounded(r.tool_call->arguments, r.max_tokens == 0 ? 0 : room));
        c.tokens += name;
        return c;
    }
    std::string text = !r.json_answer.empty() ? r.json_answer
                       : r.after_tool         ? answer_from_tool(r.question, r.tool_result, 0).text
                                              : answer(r.question, 0).text;
    std::size_t end = text.size();
    for (const std::string& stop : r.stop) end = std::min(end, text.find(stop));
    text.resize(end);
    set_text(c, bounded(std::move(text), r.max_tokens));
    if (r.question.find(output_filter_mark) != std::string::npos) {
        set_text(c, bounded(std::move(c.text), std::max<std::size_t>(1, c.tokens / 2)));
        c.finish = Finish::content_filter;
    }
    return c;
}

}  // namespace spillway::emulator
