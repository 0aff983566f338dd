#include "load/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/json.hpp"
#include "load/schedule.hpp"

namespace spillway::load {
namespace {

constexpr std::array<std::string_view, 72> english = {
    "the",     "project", "team",      "customer",   "report",    "please",   "compare",  "between",
    "which",   "because", "invoice",   "contract",   "summer",    "delivery", "and",      "with",
    "about",   "plan",    "budget",    "question",   "how",       "we",       "should",   "change",
    "our",     "process", "so",        "that",       "people",    "can",      "find",     "answers",
    "faster",  "in",      "meeting",   "notes",      "from",      "last",     "week",     "need",
    "summary", "of",      "main",      "points",     "a",         "short",    "table",    "would",
    "help",    "new",     "colleague", "understand", "product",   "service",  "support",  "ticket",
    "system",  "account", "holiday",   "policy",     "travel",    "expenses", "security", "training",
    "roadmap", "release", "quality",   "supplier",   "warehouse", "region",   "quarter",  "forecast"};

constexpr std::array<std::string_view, 40> korean = {
    "회의", "보고서", "고객",   "계약",   "예산",   "일정을", "정리해", "주세요", "지난", "분기",
    "매출", "비교",   "그리고", "새로운", "제품",   "서비스", "담당자", "질문",   "요약", "표로",
    "우리", "팀에서", "어떻게", "개선",   "할까요", "배송",   "문제",   "원인을", "설명", "보안",
    "교육", "휴가",   "규정",   "출장",   "비용",   "처리",   "방법",   "알려",   "다음", "계획"};

std::size_t length(Rng& rng, double median, double spread, double most) {
    const double drawn = spread > 0 ? draw_log_normal(rng, median, spread) : median;
    return static_cast<std::size_t>(std::clamp(std::round(drawn), 1.0, most));
}

void append_message(std::string& out, std::string_view role, std::string_view content) {
    if (!out.empty()) out += ',';
    fmt::format_to(std::back_inserter(out), R"({{"role":"{}","content":)", role);
    append_json_string(out, content);
    out += '}';
}

}  // namespace

std::string some_text(Rng& rng, std::size_t words, bool in_korean) {
    constexpr std::size_t sentence = 12;
    std::string out;
    for (std::size_t i = 0; i < words; ++i) {
        if (i > 0) out += i % sentence == 0 ? ". " : " ";
        out += in_korean ? korean.at(rng.below(korean.size())) : english.at(rng.below(english.size()));
    }
    if (words > 0) out += in_korean ? "." : "?";
    return out;
}

std::string system_message(const Scenario& scenario) {
    std::string out;
    if (scenario.system_prompt_words == 0) return out;
    Rng rng(1);  // the same for all users, so that a model's prompt cache works as it would
    append_message(
        out, "system",
        "You are the assistant of a company. " + some_text(rng, scenario.system_prompt_words, false));
    return out;
}

Conversation::Conversation(const Scenario& scenario, std::string_view system, Rng rng)
    : scenario_(&scenario), rng_(rng), messages_(system) {
    turns_left_ = std::max(1U, scenario.turns.pick(rng_));
    streamed_ = rng_.uniform() < scenario.stream_share;
    korean_ = rng_.uniform() < scenario.korean_share;
    before_question_ = messages_.size();
}

void Conversation::ask() {
    constexpr double most_words = 20'000;
    constexpr double most_tokens = 16'000;
    const std::size_t words =
        length(rng_, std::max(1.0, scenario_->prompt_words), scenario_->spread, most_words);
    std::string text = some_text(rng_, words, korean_);
    if (scenario_->answer_tokens > 0) {
        double most = most_tokens;
        if (scenario_->max_tokens > 0) most = std::min(most, static_cast<double>(scenario_->max_tokens));
        const std::size_t tokens = length(rng_, scenario_->answer_tokens, scenario_->spread, most);
        // A model goes by the sentence, an emulated one by the mark.
        fmt::format_to(std::back_inserter(text),
                       fmt::runtime(korean_ ? " {}토큰 정도로 답해 주세요. [[tokens:{}]]"
                                            : " Answer in about {} tokens. [[tokens:{}]]"),
                       tokens, tokens);
    }
    before_question_ = messages_.size();
    append_message(messages_, "user", text);
}

void Conversation::answered(std::string_view text) {
    append_message(messages_, "assistant", text);
    before_question_ = messages_.size();
    turns_left_ -= turns_left_ > 0 ? 1 : 0;
}

void Conversation::forgotten() {
    messages_.resize(before_question_);
    turns_left_ -= turns_left_ > 0 ? 1 : 0;
}

}  // namespace spillway::load
