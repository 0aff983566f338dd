// The fast reader against the full parser: what it takes it takes alike, what is odd it leaves alone.
#include "http/simple_head.hpp"

#include <gtest/gtest.h>

#include <string>

#include "http/parser.hpp"

namespace spillway::http {
namespace {

template <bool is_request>
bool taken_alike(const std::string& text) {
    typename Parser<is_request>::Head simple;
    if (!read_simple_head(text, simple)) return false;
    typename Parser<is_request>::Head full;
    Parser<is_request> parser(full);
    std::size_t size = 0;
    EXPECT_EQ(parser.parse_head(text, size), ParseState::head_done) << text;
    EXPECT_EQ(size, text.size());
    EXPECT_EQ(simple.framing, full.framing) << text;
    EXPECT_EQ(simple.content_length, full.content_length);
    EXPECT_EQ(simple.keep_alive, full.keep_alive);
    EXPECT_EQ(simple.version, full.version);
    EXPECT_EQ(simple.fields.size(), full.fields.size());
    for (auto a = simple.fields.begin(), b = full.fields.begin();
         a != simple.fields.end() && b != full.fields.end(); ++a, ++b) {
        EXPECT_EQ(a->name, b->name);
        EXPECT_EQ(a->value, b->value);
    }
    return true;
}

std::string request_with(const std::string& line) {
    return "POST /a?b=c HTTP/1.1\r\nHost: x\r\n" + line + "\r\n";
}
std::string answer_with(const std::string& line) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" + line + "\r\n";
}

TEST(SimpleHead, TakesPlainRequests) {
    EXPECT_TRUE(taken_alike<true>(request_with("")));
    EXPECT_TRUE(taken_alike<true>(request_with("Content-Length: 12\r\n")));
    EXPECT_TRUE(taken_alike<true>(request_with("content-length:0\r\nAccept: */*\r\n")));
    EXPECT_TRUE(taken_alike<true>(request_with("Connection: Keep-Alive\r\nX:\r\n")));
    EXPECT_TRUE(
        taken_alike<true>(request_with("X-Padded: \t a long value with spaces \xc3\xa9 inside it \t \r\n")));
    RequestHead head;
    const std::string text = request_with("Api-Key: k\r\nContent-Length: 7\r\n");  // head views it
    ASSERT_TRUE(read_simple_head(text, head));
    EXPECT_EQ(head.method, "POST");
    EXPECT_EQ(head.target, "/a?b=c");
    EXPECT_EQ(head.fields.get("api-key"), "k");
    EXPECT_EQ(head.framing, Framing::length);
    EXPECT_EQ(head.content_length, 7U);
}

TEST(SimpleHead, TellsLinesThatCanBeCopiedAsTheyAre) {
    const std::string text = request_with("A:b\r\nC: d\r\nE:  f\r\nG: h \r\nI: \r\nJ:\r\nL:\tm\r\n");
    RequestHead head;
    ASSERT_TRUE(read_simple_head(text, head));
    std::string lines;
    for (const Field& f : head.fields) lines += f.line();
    EXPECT_EQ(lines, "Host: x\r\nC: d\r\nI: \r\n");
}

TEST(SimpleHead, ChecksNamesOfEveryLengthInEveryPlace) {
    for (std::size_t length = 1; length < 40; ++length) {
        std::string name(length, 'n');
        EXPECT_TRUE(taken_alike<true>(request_with(name + ": v\r\n")));
        for (std::size_t at = 0; at < length; ++at) {
            for (const char odd : {'!', '_', '~', '`', '@', '[', '{', ' ', '"', '\x7f', '\xc3', '\0'}) {
                name[at] = odd;
                RequestHead head;
                const bool token = std::string_view("!_~`").find(odd) != std::string_view::npos;
                EXPECT_EQ(read_simple_head(request_with(name + ": v\r\n"), head), token) << name;
            }
            name[at] = 'n';
        }
    }
}

TEST(SimpleHead, ChecksTargetsInEveryPlace) {
    for (std::size_t at = 1; at < 40; ++at) {
        for (int c = 0; c < 256; ++c) {
            std::string target = "/" + std::string(40, 't');
            target[at] = static_cast<char>(c);
            RequestHead head;
            EXPECT_EQ(read_simple_head("GET " + target + " HTTP/1.1\r\n\r\n", head), c > ' ' && c < 0x7f);
        }
    }
}

TEST(SimpleHead, TakesPlainAnswers) {
    EXPECT_TRUE(taken_alike<false>(answer_with("x-ratelimit-remaining-tokens: 5\r\n")));
    EXPECT_TRUE(taken_alike<false>("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_TRUE(taken_alike<false>("HTTP/1.1 503 \r\nContent-Length: 1\r\n\r\n"));
}

TEST(SimpleHead, LeavesRequestsThatSayMore) {
    for (const char* line :
         {"Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Connection: keep-alive, x\r\n",
          "Expect: 100-continue\r\n", "Upgrade: websocket\r\n", "Content-Length: 1\r\nContent-Length: 1\r\n",
          "Content-Length: +1\r\n", "Content-Length: 1 2\r\n", "Content-Length:\r\n",
          "Content-Length: 99999999999999999999\r\n", "X: a\r\n b\r\n", "X : a\r\n", "X: a\nY: b\r\n",
          "X: a\rb\r\n", "X\r\n", ": a\r\n", "X: a\x01\r\n", "X: a\x7f\r\n", "Proxy-Connection: close\r\n"}) {
        RequestHead head;
        EXPECT_FALSE(read_simple_head(request_with(line), head)) << line;
    }
    for (const char* text :
         {"POST /a HTTP/1.0\r\nHost: x\r\n\r\n", "post /a HTTP/1.1\r\n\r\n", "POST  /a HTTP/1.1\r\n\r\n",
          "POST /a  HTTP/1.1\r\n\r\n", "POST /a HTTP/1.1\n\r\n", "POST /a HTTP/1.1\r\n",
          "POST /\xc3 HTTP/1.1\r\n\r\n", "POST /a", "POST", "", "POST /a HTTP/1.1\r\n\r\nmore"}) {
        RequestHead head;
        EXPECT_FALSE(read_simple_head(std::string_view(text), head)) << text;
    }
}

TEST(SimpleHead, LeavesAnswersWhoseEndIsLessPlain) {
    for (const char* text :
         {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
          "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
          "HTTP/1.1 101 X\r\nContent-Length: 1\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n",
          "HTTP/1.1 2000 OK\r\nContent-Length: 1\r\n\r\n", "HTTP/1.1 20 OK\r\nContent-Length: 1\r\n\r\n",
          "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", "HTTP/1.1 200 O\x01K\r\nContent-Length: 1\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
        ResponseHead head;
        EXPECT_FALSE(read_simple_head(std::string_view(text), head)) << text;
    }
}

}  // namespace
}  // namespace spillway::http
