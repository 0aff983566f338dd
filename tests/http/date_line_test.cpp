// The Date field of own answers.
#include "http/date_line.hpp"

#include <gtest/gtest.h>

#include "base/task.hpp"
#include "http/server_fixture.hpp"

namespace spillway::http::test {
namespace {

TEST(DateLineTest, IsWrittenAsRfc9110HasIt) {
    spillway::Loop loop;
    DateLine line(loop);
    EXPECT_EQ(line.text(Wall(784111777s)), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    EXPECT_EQ(line.text(Wall(784111777s + 999ms)), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    EXPECT_EQ(line.text(Wall(784111778s)), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
    EXPECT_EQ(line.text(Wall(0s)), "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
    EXPECT_EQ(line.text(Wall(1709210096s)), "Date: Thu, 29 Feb 2024 12:34:56 GMT\r\n");
}

TEST_F(LimitsTest, OwnAnswersHaveADate) {
    listen(hello);
    for (const std::string& request : {get("/", "Connection: close\r\n"), get("no-target")}) {
        const std::string answer = exchange(request);
        EXPECT_EQ(count_of(answer, "\r\nDate: "), 1U) << answer;
    }
}

TEST_F(LimitsTest, WhatTwoReadersMayReadDifferentlyIsRefused) {
    listen(hello);
    EXPECT_EQ(status_of(exchange("GET / HTTP/1.1\r\nHost:\r\n\r\n")), 400);
    EXPECT_EQ(status_of(exchange("GET / HTTP/1.1\r\nHost: \t\r\n\r\n")), 400);
    EXPECT_EQ(status_of(exchange(get("/caf\xc3\xa9"))), 400);
    EXPECT_EQ(status_of(exchange(get("/\xff"))), 400);
    std::string options;
    for (int i = 0; i < 9; ++i) options += "Connection: a, b, c, d\r\n";
    EXPECT_EQ(status_of(exchange(get("/", options))), 400) << "36 options in all";
}

}  // namespace
}  // namespace spillway::http::test
