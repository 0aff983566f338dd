#include "emulator/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/strings.hpp"
#include "emulator/prompt_rules.hpp"
#include "emulator/tokens.hpp"
#include "emulator/words.hpp"

namespace spillway::emulator {
namespace {

constexpr std::size_t longest_topic = 80;
constexpr std::size_t most_tokens = 16384;

/// Whole ASCII words only: "hi" is not in "this".
bool has_word(std::string_view s, std::string_view word) {
    const auto letter = [&](std::size_t i) { return i < s.size() && s[i] >= 'a' && s[i] <= 'z'; };
    for (std::size_t at = s.find(word); at != std::string_view::npos; at = s.find(word, at + 1))
        if ((at == 0 || !letter(at - 1)) && !letter(at + word.size())) return true;
    return false;
}

/// "17 * 3", "2 + 2": the first such pair in the text.
std::optional<std::string> arithmetic(std::string_view s) {
    const auto digit = [&](std::size_t i) { return i < s.size() && s[i] >= '0' && s[i] <= '9'; };
    const auto number = [&](std::size_t& i) {
        const std::size_t start = i;
        while (digit(i) || (i < s.size() && s[i] == '.' && digit(i + 1))) ++i;
        return parse_double(s.substr(start, i - start));
    };
    const auto blanks = [&](std::size_t& i) {
        while (i < s.size() && s[i] == ' ') ++i;
    };
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (!digit(i)) continue;
        const auto a = number(i);
        std::size_t j = i;
        blanks(j);
        if (!a || j >= s.size()) continue;
        char op = s[j++];
        if (op == 'x') op = '*';
        if (!has("+-*/", std::string_view(&op, 1))) continue;
        blanks(j);
        if (!digit(j)) continue;
        const auto b = number(j);
        if (!b || (op == '/' && *b == 0)) continue;
        const double r = op == '+' ? *a + *b : op == '-' ? *a - *b : op == '*' ? *a * *b : *a / *b;
        if (std::isfinite(r)) return fmt::format("{:g} {} {:g} = {:.10g}", *a, op, *b, r);
    }
    return std::nullopt;
}

std::optional<std::size_t> wanted_tokens(std::string_view prompt) {
    constexpr std::string_view mark = "[[tokens:";
    const std::size_t at = prompt.find(mark);
    if (at == std::string_view::npos) return std::nullopt;
    const std::size_t end = prompt.find("]]", at);
    if (end == std::string_view::npos) return std::nullopt;
    const auto n = parse_int<std::size_t>(prompt.substr(at + mark.size(), end - at - mark.size()));
    if (!n) return std::nullopt;
    return std::min(*n, most_tokens);
}

std::string story(std::string_view topic, bool korean, std::size_t tokens) {
    static constexpr std::array<std::string_view, 6> english = {
        "It began early in the morning, when nobody was looking at {}.",
        " Step by step, {} became a little clearer to everyone who stayed.",
        " Some asked where it would lead; others were content to watch and to listen.",
        " By noon the light had changed, and with it every thought about {}.",
        " Later they would say that {} had taught them patience.",
        " And so the day went on, one small thing after the other."};
    static constexpr std::array<std::string_view, 4> hangul = {
        "이른 아침, {} 이야기가 시작되었습니다.", " 사람들은 {} 곁에 앉아 조용히 귀를 기울였습니다.",
        " 시간이 흐르자 {}에 대한 생각도 조금씩 달라졌습니다.", " 그렇게 하루가 천천히 지나갔습니다."};
    std::string out;
    std::size_t have = 0;
    for (std::size_t i = 0; have < tokens; ++i) {
        std::string next(korean ? hangul.at(i % hangul.size()) : english.at(i % english.size()));
        if (i > 0 && next.front() != ' ') next.insert(0, " ");
        if (const auto at = next.find("{}"); at != std::string::npos) next.replace(at, 2, topic);
        have += count_tokens(next);
        out += next;
    }
    return out;
}

std::string say(std::string_view prompt) {
    // What an application wrote comes before what a person may have meant.
    for (const auto rule : {follow_up_questions, answer_from_sources, answer_with_code})
        if (auto text = rule(prompt)) return *std::move(text);
    const std::string lower = lowered(prompt);
    const bool korean = has_hangul(prompt);
    if (const auto sum = arithmetic(lower)) return korean ? *sum + "입니다." : *sum + ".";
    const std::string topic = topic_of(prompt);
    const bool tale = has_word(lower, "story") || has_word(lower, "essay") || has(prompt, "이야기");
    if (tale) return story(topic, korean, has_word(lower, "long") || has(prompt, "긴") ? 400 : 120);
    if (korean) {
        if (has(prompt, "안녕")) return "안녕하세요! 무엇을 도와드릴까요?";
        return fmt::format(
            "질문해 주셔서 감사합니다. \"{}\"에 대해 짧게 말씀드리면, 하나씩 차근차근 살펴보는 것이 "
            "좋습니다.",
            topic);
    }
    for (const std::string_view word : {"hello", "hi", "hey", "greetings"})
        if (has_word(lower, word)) return "Hello! How can I help you today?";
    if (has_word(lower, "thank") || has_word(lower, "thanks")) return "You are welcome.";
    if (has_word(lower, "who are you")) return "I am an emulated model that answers by a few simple rules.";
    if (topic.empty()) return "What would you like to talk about?";
    return fmt::format(
        "You asked about {}. In short: it is best looked at one step at a time, beginning with what is "
        "already "
        "known. Is there a part of it you would like to go into?",
        topic);
}

}  // namespace

bool has_hangul(std::string_view text) noexcept {  // U+AC00…U+D7A3 is EA B0 80 … ED 9E A3 in UTF-8
    for (std::size_t i = 0; i + 2 < text.size(); ++i) {
        const auto a = static_cast<unsigned char>(text[i]);
        const auto b = static_cast<unsigned char>(text[i + 1]);
        if (a == 0xEBU || a == 0xECU || (a == 0xEAU && b >= 0xB0U) || (a == 0xEDU && b <= 0x9EU)) return true;
    }
    return false;
}

std::string topic_of(std::string_view prompt) {
    std::string_view s = trim(prompt);
    if (const auto mark = s.find("[["); mark != std::string_view::npos) s = trim(s.substr(0, mark));
    const std::string lower = lowered(s);
    for (const std::string_view lead :
         {"about ", "what is ", "what are ", "explain ", "describe ", "tell me "}) {
        const auto at = lower.find(lead);
        if (at == std::string::npos) continue;
        s.remove_prefix(at + lead.size());
        break;
    }
    if (const auto end = s.find_first_of(".?!\n"); end != std::string_view::npos && end > 0)
        s = s.substr(0, end);
    std::string out;
    while (!s.empty()) {
        const std::size_t n = token_length(s);
        if (out.size() + n > longest_topic) break;
        out.append(s.substr(0, n));
        s.remove_prefix(n);
    }
    return std::string(trim(out));
}

Answer bounded(std::string text, std::size_t max_tokens) {
    Answer out;
    std::string_view rest = text;
    while (!rest.empty()) {
        if (max_tokens > 0 && out.tokens == max_tokens) {
            out.cut = true;
            break;
        }
        rest.remove_prefix(token_length(rest));
        ++out.tokens;
    }
    text.resize(text.size() - rest.size());
    out.text = std::move(text);
    return out;
}

Answer answer(std::string_view prompt, std::size_t max_tokens) {
    if (const auto wanted = wanted_tokens(prompt); wanted && *wanted > 0) {
        Answer exact = bounded(story(topic_of(prompt), has_hangul(prompt), *wanted), *wanted);
        exact.cut = false;
        if (max_tokens == 0 || exact.tokens <= max_tokens) return exact;
        return bounded(std::move(exact.text), max_tokens);
    }
    return bounded(say(prompt), max_tokens);
}

Answer answer_from_tool(std::string_view question, std::string_view result, std::size_t max_tokens) {
    return bounded(has_hangul(question) ? fmt::format("확인해 보니 결과는 다음과 같습니다: {}", result)
                                        : fmt::format("Here is what I found: {}", result),
                   max_tokens);
}

}  // namespace spillway::emulator
