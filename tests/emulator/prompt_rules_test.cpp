#include "emulator/prompt_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/answer.hpp"

namespace spillway::emulator {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view sources =
    "\n\nSources:\n"
    "\n[a.pdf#page=1]: The house was built in 1887. It has nine rooms."
    "\n[a.pdf#page=3]: The garden was planted later. A gardener waters it each Monday.";

TEST(PromptRules, QuotesTheSentenceThatSharesMostWithTheQuestion) {
    EXPECT_EQ(answer_from_sources("When does the gardener water it?" + std::string(sources)),
              "The documents say: A gardener waters it each Monday. [a.pdf#page=3]");
    EXPECT_EQ(answer_from_sources("When was the house built?" + std::string(sources)),
              "The documents say: The house was built in 1887. [a.pdf#page=1]");
}

TEST(PromptRules, AdmitsWhatTheSourcesDoNotSay) {
    EXPECT_EQ(answer_from_sources("Why quarks?" + std::string(sources)), "The sources do not say.");
}

TEST(PromptRules, ReadsKoreanWithItsParticles) {
    const auto text = answer_from_sources(
        "정원사는 언제 물을 주나요?\n\nSources:\n\n[b.md#line=2]: 집은 오래되었습니다. 정원사가 월요일마다 "
        "물을 줍니다.");
    ASSERT_TRUE(text);
    EXPECT_THAT(*text, HasSubstr("정원사가 월요일마다 물을 줍니다. [b.md#line=2]"));
}

TEST(PromptRules, LeavesOtherPromptsAlone) {
    EXPECT_FALSE(answer_from_sources("Say hello."));
    EXPECT_FALSE(follow_up_questions("What are follow-up questions?"));
    EXPECT_FALSE(answer_with_code("Is a python a snake?"));
    EXPECT_EQ(answer("Say hello.", 0).text, "Hello! How can I help you today?");
}

TEST(PromptRules, SuggestsThreeQuestionsOnTheTopic) {
    const auto text = follow_up_questions(
        "Question: What is a retry budget?\n\nAnswer: …\n\nWrite three short follow-up questions like "
        "<<this>>.");
    ASSERT_TRUE(text);
    EXPECT_THAT(*text, HasSubstr("<<Can you give an example of a retry budget?>>"));
    EXPECT_THAT(*follow_up_questions("Question: When is it open?\n\nfollow-up questions <<like this>>"),
                HasSubstr("<<What follows from it?>>"));
}

TEST(PromptRules, WritesCodeInMarkdown) {
    EXPECT_THAT(answer("Write a Python function that reverses a string", 0).text,
                HasSubstr("```python\ndef "));
}

}  // namespace
}  // namespace spillway::emulator
