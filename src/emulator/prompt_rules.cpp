#include "emulator/prompt_rules.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/strings.hpp"
#include "emulator/answer.hpp"
#include "emulator/words.hpp"

namespace spillway::emulator {
namespace {

constexpr std::string_view sources_mark = "\n\nSources:\n";

/// What a question is searched by: its words of four letters and more, and the first two syllables of its
/// Korean ones (what follows is often a particle).
std::vector<std::string> stems(std::string_view question) {
    constexpr std::size_t two_syllables = 6;
    std::vector<std::string> out;
    const std::string text = lowered(question);
    std::string word;
    const auto flush = [&] {
        const bool ascii = !word.empty() && static_cast<unsigned char>(word.front()) < 0x80U;
        if (ascii && word.size() >= 4) out.push_back(word);
        if (!ascii && word.size() >= two_syllables) out.push_back(word.substr(0, two_syllables));
        word.clear();
    };
    for (const char c : text) {
        const auto u = static_cast<unsigned char>(c);
        const bool letter = u >= 0x80U || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (letter)
            word += c;
        else
            flush();
    }
    flush();
    return out;
}

std::vector<std::string_view> sentences(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        std::size_t end = text.size();
        for (const std::string_view mark : {". ", "? ", "! "})
            if (const auto at = text.find(mark); at != std::string_view::npos) end = std::min(end, at + 1);
        if (const std::string_view one = trim(text.substr(0, end)); !one.empty()) out.push_back(one);
        text = text.substr(end);
    }
    return out;
}

struct Found {
    std::string_view sentence;
    std::string_view source;
    std::size_t score = 0;
};

void look(std::string_view line, const std::vector<std::string>& wanted, Found& best) {
    const auto colon = line.find("]: ");
    if (!line.starts_with('[') || colon == std::string_view::npos) return;
    for (const std::string_view sentence : sentences(line.substr(colon + 3))) {
        const std::string lower = lowered(sentence);
        std::size_t score = 0;
        for (const std::string& stem : wanted) score += has(lower, stem) ? 1U : 0U;
        if (score > best.score) best = {sentence, line.substr(1, colon - 1), score};
    }
}

}  // namespace

std::optional<std::string> answer_from_sources(std::string_view prompt) {
    const auto mark = prompt.rfind(sources_mark);
    if (mark == std::string_view::npos) return std::nullopt;
    const std::string_view question = prompt.substr(0, mark);
    const std::vector<std::string> wanted = stems(question);
    std::string_view rest = prompt.substr(mark + sources_mark.size());
    Found best;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        look(rest.substr(0, end), wanted, best);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
    const bool korean = has_hangul(question);
    if (best.score == 0)
        return korean ? "주어진 문서에서는 답을 찾을 수 없습니다." : "The sources do not say.";
    return fmt::format("{} {} [{}]",
                       korean ? "문서에 따르면 다음과 같습니다." : "The documents say:", best.sentence,
                       best.source);
}

std::optional<std::string> follow_up_questions(std::string_view prompt) {
    constexpr std::string_view lead = "Question: ";
    if (!has(prompt, "<<") || !has(prompt, "follow-up questions") || !prompt.starts_with(lead))
        return std::nullopt;
    const std::string_view question = prompt.substr(lead.size(), prompt.find('\n') - lead.size());
    if (has_hangul(question))
        return "<<예를 들어 주시겠어요?>> <<장점과 단점은 무엇인가요?>> <<다음에는 무엇을 알아보면 "
               "좋을까요?>>";
    const std::string topic = topic_of(question);
    // Without a lead like "what is", the topic is the whole question: it cannot stand in another one.
    if (topic.size() + 1 >= question.size())
        return "<<Can you say that in other words?>> <<What follows from it?>> <<What should I look at "
               "next?>>";
    return fmt::format(
        "<<Can you give an example of {}?>> <<What speaks for and against {}?>> <<What should I "
        "look at next?>>",
        topic, topic);
}

std::optional<std::string> answer_with_code(std::string_view prompt) {
    const std::string lower = lowered(prompt);
    const bool korean = has_hangul(prompt);
    const bool code = has(lower, "python") && (has(lower, "function") || has(lower, "code") ||
                                               has(prompt, "함수") || has(prompt, "코드"));
    if (!code) return std::nullopt;
    return fmt::format(R"({}

```python
def reverse(text: str) -> str:
    """Return the text backwards."""
    return text[::-1]  # a slice with step -1


print(reverse("spillway"))
```

- **{}**
- `text[::-1]`

| {} | {} |
|---|---|
| `reverse("abc")` | `cba` |
)",
                       korean ? "다음과 같이 쓸 수 있습니다." : "It can be written like this:",
                       korean ? "슬라이스는 문자열을 복사합니다." : "A slice makes a copy of the string.",
                       korean ? "호출" : "Call", korean ? "결과" : "Result");
}

}  // namespace spillway::emulator
