// Decoding, cutting, search terms, ranking: the pure parts of retrieval.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.hpp"
#include "chat/chunks.hpp"
#include "chat/ranking.hpp"
#include "chat/terms.hpp"
#include "chat/text_file.hpp"

namespace spillway::chat {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(DecodeText, ReadsTheUsualEncodings) {
    EXPECT_EQ(decode_text("\xEF\xBB\xBFhi\r\nthere\rx").value(), "hi\nthere\nx");
    EXPECT_EQ(decode_text(std::string_view("\xFF\xFE\x00\xAC\x0A\x00", 6)).value(), "가\n");
    EXPECT_EQ(decode_text("\xB0\xA1\xB3\xAA").value(), "가나");  // CP949
}

TEST(DecodeText, LeavesOutColours) {
    EXPECT_EQ(decode_text("\x1b[31mERROR\x1b[0m failed\n\x1b[1;32mok\x1b[K").value(), "ERROR failed\nok");
    EXPECT_FALSE(decode_text("an \x1b alone"));
}

TEST(DecodeText, TakesNothingForKoreanThatIsNot) {
    EXPECT_EQ(decode_text("\xBE\xC8\xB3\xE7\xC7\xCF\xBC\xBC\xBF\xE4, \xA1\xB8"
                          "A\xA1\xB9")
                  .value(),
              "안녕하세요, 「A」");
    const std::string_view shift_jis = "\x82\xB1\x82\xF1\x82\xC9\x82\xBF\x82\xCD\x81\x41\x89\xEF\x8B\x63";
    const std::string_view euc_jp = "\xA4\xB3\xA4\xF3\xA4\xCB\xA4\xC1\xA4\xCF\xA1\xA2\xB2\xF1\xB5\xC4";
    const std::string_view latin_1 =
        "\xC4RGER, Gr\xF6\xDF"
        "e";
    for (const std::string_view text : {shift_jis, euc_jp, latin_1}) {
        const auto read = decode_text(text);
        ASSERT_FALSE(read) << *read;
        EXPECT_NE(read.error().message, not_text) << "it is text: only its encoding is not known";
    }
}

TEST(DecodeText, RefusesWhatIsNoText) {
    EXPECT_FALSE(decode_text(std::string_view("a\0b", 3)));
    EXPECT_FALSE(decode_text("\xFF\xFF\xFF\xFF"));
}

std::string text_of(const std::vector<std::string>& pages, const Chunk& c) {
    return pages[c.page].substr(c.offset, c.length);
}

TEST(Chunks, StayWithinAPage) {
    const std::vector<std::string> pages = {"One. Two.", "  \n ", "Three."};
    const auto chunks = cut_chunks(pages);
    ASSERT_EQ(chunks.size(), 2U);
    EXPECT_EQ(chunks[0].page, 0U);
    EXPECT_EQ(chunks[1].page, 2U);
    EXPECT_EQ(text_of(pages, chunks[1]), "Three.");
}

TEST(Chunks, CoverAllWordsAndEndAtSentences) {
    std::string page;
    for (int i = 0; i < 200; ++i) page += "Sentence number " + std::to_string(i) + " is here. ";
    const std::vector<std::string> pages = {page};
    const auto chunks = cut_chunks(pages, {300, 40});
    ASSERT_GT(chunks.size(), 10U);
    std::string all;
    for (const Chunk& c : chunks) {
        EXPECT_LE(count_characters(text_of(pages, c)), 300U);
        EXPECT_THAT(text_of(pages, c), EndsWith("."));
        all += text_of(pages, c) + "\n";
    }
    for (int i = 0; i < 200; ++i) EXPECT_THAT(all, HasSubstr("number " + std::to_string(i) + " is here"));
}

TEST(Chunks, CountLinesAlsoWhereTheyOverlap) {
    std::string page;
    for (int i = 1; i <= 100; ++i) page += "line " + std::to_string(i) + " of the text\n";
    const std::vector<std::string> pages = {page};
    for (const Chunk& c : cut_chunks(pages, {120, 30})) {
        const std::string text = text_of(pages, c);
        const auto ends =
            std::count(page.begin(), page.begin() + static_cast<std::ptrdiff_t>(c.offset), '\n');
        EXPECT_EQ(c.line, static_cast<std::size_t>(ends) + 1) << text;
    }
}

TEST(Chunks, CutTextWithoutSpacesAtCharacters) {
    std::string page;
    for (int i = 0; i < 500; ++i) page += "가";
    const std::vector<std::string> pages = {page};
    const auto chunks = cut_chunks(pages, {100, 10});
    ASSERT_GE(chunks.size(), 5U);
    for (const Chunk& c : chunks) EXPECT_TRUE(is_utf8(text_of(pages, c)));
    EXPECT_EQ(chunks.back().offset + chunks.back().length, page.size());
}

TEST(Terms, AreWordsAndPairsOfHangul) {
    EXPECT_THAT(search_terms("Retry-After: 20 s"), ElementsAre("retry", "after", "20", "s"));
    EXPECT_THAT(search_terms("재시도는 a"), ElementsAre("재시", "시도", "도는", "a"));
    EXPECT_THAT(search_terms("물"), ElementsAre("물"));
    EXPECT_THAT(search_terms("Café—thé"), ElementsAre("café", "thé"));
}

TEST(Terms, OfAQueryLeaveOutCommonWordsAndRepeats) {
    EXPECT_EQ(match_query("What is the retry retry budget?"), "\"retry\" OR \"budget\"");
    EXPECT_EQ(match_query("who are you"), "\"who\" OR \"are\" OR \"you\"");
    EXPECT_EQ(match_query("?!"), "");
    EXPECT_THAT(match_query("a\"b OR *"), Not(HasSubstr("*")));
    EXPECT_EQ(match_query("one two three", 2), "\"one\" OR \"two\"");
}

TEST(Ranking, CosineIsTheAnglesOnly) {
    const std::vector<float> a = {1, 0};
    const std::vector<float> b = {5, 0};
    const std::vector<float> c = {0, 2};
    EXPECT_DOUBLE_EQ(cosine(a, b), 1);
    EXPECT_DOUBLE_EQ(cosine(a, c), 0);
    EXPECT_DOUBLE_EQ(cosine(a, std::vector<float>{1, 0, 0}), 0);
    EXPECT_DOUBLE_EQ(cosine(a, std::vector<float>{0, 0}), 0);
}

TEST(Ranking, FusionPrefersWhatBothRankingsHave) {
    const std::vector<Ranking> rankings = {{{1, 2, 3}, 1}, {{4, 2}, 1}};
    const auto fused = fuse(rankings);
    ASSERT_EQ(fused.size(), 4U);
    EXPECT_EQ(fused[0].item, 2);
    EXPECT_DOUBLE_EQ(fused[0].score, 1.0 / 62 + 1.0 / 62);
    EXPECT_EQ(fused[1].item, 1);  // the same score as 4
    EXPECT_EQ(fused[2].item, 4);
}

TEST(Ranking, WeightsCount) {
    const std::vector<Ranking> rankings = {{{1}, 0.5}, {{2}, 1}};
    EXPECT_EQ(fuse(rankings).front().item, 2);
}

}  // namespace
}  // namespace spillway::chat
