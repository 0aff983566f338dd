#include "api/sse.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spillway::api {
namespace {

struct Seen {
    std::string raw;
    std::string event;
    std::string data;
    bool has_data = false;
    friend bool operator==(const Seen&, const Seen&) = default;
};

void drain(SseSplitter& splitter, std::vector<Seen>& out) {
    SseEvent e;
    while (splitter.next(e))
        out.push_back({std::string(e.raw), std::string(e.event), std::string(e.data), e.has_data});
}

/// Each chunk lies in memory of its own, freed when drained, so that a stale view is found out.
std::vector<Seen> split(const std::vector<std::string>& chunks, std::string* pending = nullptr) {
    SseSplitter splitter;
    std::vector<Seen> out;
    for (const std::string& chunk : chunks) {
        const std::vector<char> copy(chunk.begin(), chunk.end());
        splitter.feed({copy.data(), copy.size()});
        drain(splitter, out);
    }
    if (pending) *pending = splitter.pending();
    return out;
}

std::string raws(const std::vector<Seen>& events) {
    std::string all;
    for (const Seen& e : events) all += e.raw;
    return all;
}

/// What an event stream means: events with data.
std::vector<std::pair<std::string, std::string>> meaning(const std::vector<Seen>& events) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const Seen& e : events)
        if (e.has_data) out.emplace_back(e.event, e.data);
    return out;
}

TEST(Sse, OneEventInOneChunk) {
    const auto seen = split({"data: {\"a\":1}\n\n"});
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0], (Seen{"data: {\"a\":1}\n\n", "", "{\"a\":1}", true}));
}

TEST(Sse, ViewsLieInTheChunk) {
    const std::string chunk = "event: x\ndata: 1\n\ndata: 2\n\n";
    SseSplitter splitter;
    splitter.feed(chunk);
    SseEvent e;
    ASSERT_TRUE(splitter.next(e));
    EXPECT_EQ(e.raw.data(), chunk.data());
    EXPECT_EQ(e.event, "x");
    EXPECT_GE(e.data.data(), chunk.data());
    EXPECT_LT(e.data.data(), chunk.data() + chunk.size());
    ASSERT_TRUE(splitter.next(e));
    EXPECT_EQ(e.event, "");
    EXPECT_EQ(e.data, "2");
    EXPECT_FALSE(splitter.next(e));
}

TEST(Sse, FieldsAsTheStandardReadsThem) {
    const auto seen =
        split({": a comment\n\n"
               "event: one\nevent: two\nid: 7\nretry: 10\ndata\n\n"
               "data:  two spaces\n\n"
               "data:none\n\n"
               "data: a\ndata:\ndata: b\n\n"
               "datax: 1\nDATA: 1\n\n"
               "event: alone\n\n"});
    ASSERT_EQ(seen.size(), 7U);
    EXPECT_FALSE(seen[0].has_data);
    EXPECT_EQ(seen[1].event, "two");
    EXPECT_TRUE(seen[1].has_data);
    EXPECT_EQ(seen[1].data, "");
    EXPECT_EQ(seen[2].data, " two spaces");
    EXPECT_EQ(seen[3].data, "none");
    EXPECT_EQ(seen[4].data, "a\n\nb");
    EXPECT_FALSE(seen[5].has_data);
    EXPECT_EQ(seen[6].event, "alone");
    EXPECT_FALSE(seen[6].has_data);
}

TEST(Sse, AByteOrderMarkIsSkippedOnceOnly) {
    const auto seen =
        split({"\xef\xbb\xbf"
               "data: 1\n\n\xef\xbb\xbf"
               "data: 2\n\n"});
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].data, "1");
    EXPECT_FALSE(seen[1].has_data);
}

TEST(Sse, AllLineEnds) {
    for (const std::string end : {"\n", "\r\n", "\r"}) {
        const std::string text =
            "event: e" + end + "data: 1" + end + "data: 2" + end + end + "data: 3" + end + end;
        EXPECT_EQ(meaning(split({text})),
                  (std::vector<std::pair<std::string, std::string>>{{"e", "1\n2"}, {"", "3"}}))
            << testing::PrintToString(end);
    }
}

TEST(Sse, SplitAtEveryBytePosition) {
    const std::string texts[] = {
        "data: {\"id\":\"\",\"choices\":[]}\n\ndata: "
        "{\"choices\":[{\"delta\":{\"content\":\"h\xc3\xa4\"}}]}\n\ndata: "
        "[DONE]\n\n",
        "event: response.created\r\ndata: {\"type\":\"response.created\"}\r\n\r\n: ping\r\n\r\ndata: "
        "x\r\n\r\n",
        "data: 1\r\rdata: 2\r\revent: z\rdata: 3\rdata: 4\r\r",
        "\xef\xbb\xbf"
        "data: bom\n\n\n\n\r\n\r\n\r\rdata: after blanks\n\n",
        "data: mixed\r\n\ndata: 2\n\r\ndata: 3\r\n\rdata: 4\n\n",
    };
    for (const std::string& text : texts) {
        const auto whole = split({text});
        EXPECT_EQ(raws(whole), text);
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            std::string pending;
            const auto seen = split({text.substr(0, cut), text.substr(cut)}, &pending);
            EXPECT_EQ(meaning(seen), meaning(whole)) << cut << testing::PrintToString(text);
            EXPECT_EQ(raws(seen) + pending, text) << cut;
        }
        for (std::size_t size = 1; size < 8; ++size) {
            std::vector<std::string> chunks;
            for (std::size_t i = 0; i < text.size(); i += size) chunks.push_back(text.substr(i, size));
            std::string pending;
            const auto seen = split(chunks, &pending);
            EXPECT_EQ(meaning(seen), meaning(whole)) << size << testing::PrintToString(text);
            EXPECT_EQ(raws(seen) + pending, text) << size;
        }
    }
}

TEST(Sse, WhatIsNotEndedIsPending) {
    SseSplitter splitter;
    SseEvent e;
    EXPECT_FALSE(splitter.next(e));
    splitter.feed("data: 1\n\ndata: 2");
    ASSERT_TRUE(splitter.next(e));
    EXPECT_FALSE(splitter.next(e));
    EXPECT_EQ(splitter.pending(), "data: 2");
    splitter.feed("\n");
    EXPECT_FALSE(splitter.next(e));
    EXPECT_EQ(splitter.pending(), "data: 2\n");
    splitter.feed("\n");
    ASSERT_TRUE(splitter.next(e));
    EXPECT_EQ(e.raw, "data: 2\n\n");
    EXPECT_FALSE(splitter.next(e));
    EXPECT_EQ(splitter.pending(), "");
    splitter.feed("");
    EXPECT_FALSE(splitter.next(e));
}

TEST(Sse, AChunkFedBeforeTheLastIsDrained) {
    SseSplitter splitter;
    SseEvent e;
    const std::string one = "data: 1\n\ndata: 2";
    const std::string two = "3\n\ndata: 4\n\n";
    splitter.feed(one);
    ASSERT_TRUE(splitter.next(e));
    splitter.feed(two);
    splitter.feed("data: 5\n\n");
    std::vector<Seen> seen;
    drain(splitter, seen);
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[0].data, "23");
    EXPECT_EQ(seen[1].data, "4");
    EXPECT_EQ(seen[2].data, "5");
}

TEST(Sse, AnEventBeyondTheLimitEndsIt) {
    SseSplitter splitter(16);
    SseEvent e;
    splitter.feed("data: ok\n\ndata: 0123456789");
    ASSERT_TRUE(splitter.next(e));
    EXPECT_FALSE(splitter.next(e));
    EXPECT_FALSE(splitter.too_large());
    splitter.feed("abc\n\ndata: never\n\n");
    EXPECT_FALSE(splitter.next(e));
    EXPECT_TRUE(splitter.too_large());
    EXPECT_EQ(splitter.pending(), "data: 0123456789abc\n\ndata: never\n\n");
    splitter.feed("data: dropped\n\n");
    EXPECT_FALSE(splitter.next(e));
    EXPECT_EQ(splitter.pending(), "data: 0123456789abc\n\ndata: never\n\n");

    splitter.reset();
    EXPECT_FALSE(splitter.too_large());
    EXPECT_EQ(splitter.pending(), "");
    splitter.feed("data: 1\n\n");
    ASSERT_TRUE(splitter.next(e));
    EXPECT_EQ(e.data, "1");
}

TEST(Sse, TheLimitHoldsForWholeEventsToo) {
    SseSplitter splitter(10);
    SseEvent e;
    splitter.feed("data: 12\n\n");  // 10 bytes
    EXPECT_TRUE(splitter.next(e));
    splitter.feed("data: 123\n\n");
    EXPECT_FALSE(splitter.next(e));
    EXPECT_TRUE(splitter.too_large());
}

}  // namespace
}  // namespace spillway::api
