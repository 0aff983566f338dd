// Which events of a committed stream are worth a parse.
#include <array>

#include "api/byte_scan.hpp"
#include "api/stream_event.hpp"
#include "base/strings.hpp"

namespace spillway::api {
namespace {

/// What the words that make an event matter begin with, so that nearly all others fall out at once.
constexpr bool may_tell(char first) noexcept {
    return first == 'u' || first == 'e' || first == 'f' || first == 's' || first == 'r';
}

/// Whether `text`, which stands behind a quote, begins with a word that makes the event matter: a key
/// whose value is not null, or a type.
bool is_telling(std::string_view text) noexcept {
    static constexpr std::array<std::string_view, 7> words{"usage\"",
                                                           "error\"",
                                                           "finish_reason\"",
                                                           "statusCode\"",
                                                           "response.failed\"",
                                                           "response.completed\"",
                                                           "response.incomplete\""};
    for (const std::string_view word : words) {
        if (!text.starts_with(word)) continue;
        text = trim(text.substr(word.size()));
        if (!text.starts_with(':')) return true;
        return !trim(text.substr(1)).starts_with("null");
    }
    return false;
}

}  // namespace

bool EventClassifier::may_matter(std::string_view event, std::string_view data) noexcept {
    if (event == "error" || event == "response.failed" || event == "response.completed" ||
        event == "response.incomplete")
        return true;
    data = trim(data);
    if (data.empty()) return false;
    if (data.front() != '{') return true;  // [DONE], or not understood
    const char* p = data.data();
    const char* const end = p + data.size();
    unsigned high = 0;
    while ((p = find_string_special(p, end, high)) != end) {
        const char c = *p++;
        // What an escape stands for begins no key.
        if (c == '\\' && p != end) ++p;
        if (c == '"' && p != end && may_tell(*p) && is_telling({p, static_cast<std::size_t>(end - p)}))
            return true;
    }
    return false;
}

}  // namespace spillway::api
