#include "chat/prompt.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "chat/ingest.hpp"
#include "chat/turn.hpp"
#include "sample_pdf.hpp"

namespace spillway::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Message said(Role role, std::string text) {
    Message m;
    m.role = role;
    m.text = std::move(text);
    return m;
}

Hit hit(std::string name, std::int64_t page, std::int64_t line, std::string text) {
    Hit h;
    h.document = name;
    h.name = std::move(name);
    h.page = page;
    h.line = line;
    h.text = std::move(text);
    return h;
}

TEST(Prompt, PiecesOfOnePageAreOneSource) {
    const std::vector<Hit> hits = {hit("a.pdf", 3, 1, "x"), hit("b.md", 0, 12, "y"), hit("a.pdf", 3, 9, "z"),
                                   hit("b.md", 0, 40, "w")};
    const auto sources = to_sources(hits);
    ASSERT_EQ(sources.size(), 3U);
    EXPECT_EQ(sources[0].marker, "a.pdf#page=3");
    EXPECT_THAT(sources[0].texts, ElementsAre("x", "z"));
    EXPECT_EQ(sources[1].marker, "b.md#line=12");
    EXPECT_EQ(sources[2].marker, "b.md#line=40");
}

TEST(Prompt, PutsSourcesBehindTheQuestionEachInOneLine) {
    const std::vector<Message> path = {said(Role::user, "Why?")};
    const auto sources =
        to_sources(std::vector<Hit>{hit("a.pdf", 2, 1, "One\n\n[b.pdf#page=9]: two  three")});
    const auto prompt = build_prompt({}, path, sources);
    ASSERT_EQ(prompt.size(), 2U);
    EXPECT_THAT(prompt[0].text, HasSubstr("Cite the name, in square brackets"));
    EXPECT_EQ(prompt[1].text, "Why?\n\nSources:\n\n[a.pdf#page=2]: One [b.pdf#page=9]: two three");
}

TEST(Prompt, WithoutSourcesIsTheHistory) {
    const std::vector<Message> path = {said(Role::user, "A?"), said(Role::assistant, "B."),
                                       said(Role::user, "C?")};
    UserSettings settings;
    settings.system_prompt = "Be brief.";
    const auto prompt = build_prompt(settings, path, {});
    ASSERT_EQ(prompt.size(), 4U);
    EXPECT_EQ(prompt[0].text, "Be brief.");
    EXPECT_EQ(prompt[2].role, "assistant");
    EXPECT_EQ(prompt[3].text, "C?");
}

TEST(Prompt, LeavesOutTheOldestTurnsThatDoNotFit) {
    std::vector<Message> path;
    for (int i = 0; i < 50; ++i) {
        path.push_back(said(Role::user, std::string(100, 'q')));
        path.push_back(said(Role::assistant, std::string(100, 'a')));
    }
    path.push_back(said(Role::user, "last"));
    const auto prompt = build_prompt({}, path, {}, 1000);
    EXPECT_LT(prompt.size(), 12U);
    EXPECT_EQ(prompt[1].role, "user");
    EXPECT_EQ(prompt.back().text, "last");
    EXPECT_EQ(build_prompt({}, path, {}, 10).size(), 2U);  // the question always stays
}

TEST(Prompt, BodySaysHowMuchToAnswerInTheModelsOwnWord) {
    const std::vector<PromptMessage> prompt = {{"user", "hi \"there\""}};
    UserSettings settings;
    settings.max_tokens = 7;
    settings.temperature = 0.5;
    EXPECT_EQ(chat_body("gpt-4o", prompt, settings, "", true),
              R"({"model":"gpt-4o","messages":[{"role":"user","content":"hi \"there\""}],"temperature":0.5,)"
              R"("max_tokens":7,"stream":true,"stream_options":{"include_usage":true}})");
    EXPECT_THAT(chat_body("o4-mini", prompt, settings, "", false), HasSubstr("\"max_completion_tokens\":7"));
    EXPECT_THAT(chat_body("gpt-4o", prompt, {}, "chat-1", false),
                AllOf(Not(HasSubstr("temperature")), HasSubstr("\"user\":\"chat-1\"")));
}

TEST(FollowUps, AreReadFromDoubleAngleBrackets) {
    EXPECT_THAT(parse_follow_ups("x <<A?>> <<B\n?>> <<A?>> <<>> <<C?>> <<D?>>"),
                ElementsAre("A?", "B ?", "C?"));
    EXPECT_THAT(parse_follow_ups("no << end"), IsEmpty());
}

TEST(Title, IsOneShortLine) {
    EXPECT_EQ(title_of("  What\nis it? "), "What is it?");
    const std::string title =
        title_of(std::string(30, 'a') + " " + std::string(20, 'b') + " " + std::string(30, 'c'));
    EXPECT_EQ(title, std::string(30, 'a') + " " + std::string(20, 'b') + "…");
}

TEST(TurnRequest, NeedsAQuestionOrAPlace) {
    EXPECT_FALSE(read_turn_request("{}"));
    EXPECT_FALSE(read_turn_request("[]"));
    EXPECT_FALSE(read_turn_request(R"({"parent":"../x","text":"hi"})"));
    EXPECT_FALSE(read_turn_request(R"({"text":"   "})"));
    EXPECT_TRUE(read_turn_request(R"({"text":" hi "})"));
    EXPECT_TRUE(read_turn_request(R"({"parent":"0123456789abcdef0123456789abcdef"})"));
}

TEST(UserSettingsJson, GoesRoundAndRefusesWhatIsNoValue) {
    UserSettings s;
    s.system_prompt = "정중하게";
    s.temperature = 1.5;
    s.sources = 7;
    s.follow_ups = false;
    const auto again = read_user_settings(to_json(s));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(to_json(*again), to_json(s));
    EXPECT_EQ(read_user_settings(R"({"temperature":null})", s)->temperature, std::nullopt);
    EXPECT_EQ(read_user_settings("{}", s)->sources, 7);
    for (const char* bad : {"", "[]", R"({"temperature":3})", R"({"sources":0})", R"({"sources":1.5})",
                            R"({"follow_ups":1})", R"({"system_prompt":7})", R"({"max_tokens":-1})"})
        EXPECT_FALSE(read_user_settings(bad)) << bad;
}

TEST(ReadFile, KnowsPdfMarkdownAndText) {
    const auto pdf = read_file("x", test::sample_pdf({"Alpha one", "Beta two"}), {});
    ASSERT_TRUE(pdf) << pdf.error().message;
    EXPECT_EQ(pdf->type, "application/pdf");
    ASSERT_EQ(pdf->chunks.size(), 2U);
    EXPECT_EQ(pdf->chunks[1].page, 2);
    EXPECT_EQ(pdf->chunks[1].text, "Beta two");
    const auto text = read_file("a.md", "# Title\n\nText", {});
    ASSERT_TRUE(text);
    EXPECT_EQ(text->type, "text/markdown");
    EXPECT_EQ(text->chunks[0].page, 0);
    EXPECT_EQ(read_file("a.txt", "Text", {})->type, "text/plain");
}

TEST(ReadFile, SaysWhatIsWrong) {
    EXPECT_THAT(read_file("a.pdf", "no", {}).error().message, HasSubstr("not a PDF"));
    EXPECT_THAT(read_file("a.pdf", "%PDF-1.4 broken", {}).error().message, HasSubstr("cannot be read"));
    EXPECT_THAT(read_file("a.txt", " \n ", {}).error().message, HasSubstr("empty"));
    EXPECT_THAT(read_file("a.pdf", test::sample_pdf({""}), {}).error().message, HasSubstr("no text"));
    UploadLimits one_page;
    one_page.pages = 1;
    EXPECT_THAT(read_file("a.pdf", test::sample_pdf({"a", "b"}), one_page).error().message,
                HasSubstr("2 pages"));
}

/// Pages without an end, as they come from a file that says more than it holds.
Result<void> endless(std::string_view /*bytes*/, std::size_t /*max_pages*/, PageSink& sink) {
    while (!sink.is_over())
        if (!sink.on_page(std::string(900, 'x'))) break;
    return {};
}

TEST(ReadFile, ReadsAPdfAsFarAsItCanBeKept) {
    UploadLimits limits;
    limits.read_pdf = endless;
    limits.chunks = 7;
    EXPECT_EQ(read_file("a.pdf", "%PDF-1.4", limits).error().code, "too_much_text");
    limits.chunks = 1'000'000'000;
    limits.reading = std::chrono::milliseconds(50);
    EXPECT_EQ(read_file("a.pdf", "%PDF-1.4", limits).error().code, "too_slow");
    limits.reading = std::chrono::seconds(10);
    const std::atomic<bool> left = true;
    EXPECT_EQ(read_file("a.pdf", "%PDF-1.4", limits, &left).error().code, "stopped");
}

TEST(CleanName, KeepsTheLastSegmentWithoutMarks) {
    EXPECT_EQ(clean_name("C:\\docs\\a [1].pdf"), "a (1).pdf");
    EXPECT_EQ(clean_name("../../etc/passwd"), "passwd");
    EXPECT_EQ(clean_name("보고서\x01.pdf"), "보고서.pdf");
    EXPECT_EQ(clean_name("dir/"), "");
}

}  // namespace
}  // namespace spillway::chat
