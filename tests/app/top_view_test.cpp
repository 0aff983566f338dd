#include "app/top_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "app/top_screen.hpp"

namespace spillway::app::top {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view backends = R"({"backends":[
 {"name":"spare","url":"http://b","state":"available","until":null,"seconds_left":0,"reason":"","priority":2,
  "weight":1,"in_flight":3,"served":40,"throttled":0,"failed":0,"deployments":[]},
 {"name":"first\u001b[2J","url":"http://a","state":"throttled","until":"2025-01-31T23:59:59Z","seconds_left":12.4,
  "reason":"429","priority":1,"weight":2,"in_flight":0,"served":100,"throttled":5,"failed":1,
  "deployments":[{"name":"gpt-4o","state":"throttled","until":null,"seconds_left":0,"tpm":30000,"rpm":180,
   "remaining_tokens":1500,"remaining_requests":20,"reserved_tokens":1000,"in_flight":0},
   {"name":"new","tpm":null,"remaining_tokens":null,"reserved_tokens":0}]}]})";

Frame frame(std::uint64_t served) {
    Frame f;
    f.backends = read_backends(backends).value();
    f.backends[0].served = served;
    f.taken = Mono(std::chrono::seconds(served));
    return f;
}

std::string text_of(const Frame& frame, const Frame* before, const Look& look) {
    std::string out;
    for (const auto& line : draw(frame, before, look)) out += line + '\n';
    return out;
}

TEST(TopView, ShowsStateQuotaAndCounts) {
    const std::string text = text_of(frame(40), nullptr, {});
    EXPECT_THAT(text, HasSubstr("throttled      12 s"));
    EXPECT_THAT(text, HasSubstr(" 95 %  1,500 of 30,000 tokens left, 1,000 reserved"));
    EXPECT_THAT(text, HasSubstr("quota not known"));
    EXPECT_LT(text.find("first"), text.find("spare")) << "by priority";
    EXPECT_THAT(text, Not(HasSubstr("\x1b"))) << "no escape sequences, not even those of a name";
    EXPECT_THAT(text, Not(HasSubstr("CLIENT")));
}

TEST(TopView, RatesComeFromTheFrameBefore) {
    const Frame before = frame(40);
    EXPECT_THAT(text_of(frame(44), &before, {}), HasSubstr("     1.0     0.0     0.0        44"));
    const Frame restarted = frame(100);
    EXPECT_THAT(text_of(frame(44), &restarted, {}), HasSubstr("      –       –       –        44"));
}

TEST(TopView, ShowsClients) {
    Frame f = frame(40);
    f.clients =
        read_clients(R"({"clients":[{"kind":"client","name":"web","in_flight":2,"tokens_last_minute":1234567,
        "refused":3,"tokens_per_minute":{"limit":2000000,"used":1234567,"shared":false},"later":[1]}]})")
            .value();
    const std::string text = text_of(f, nullptr, {});
    EXPECT_THAT(text, HasSubstr("1,234,567"));
    EXPECT_THAT(text, HasSubstr("1,234,567 of 2,000,000 tokens a minute"));
}

TEST(TopView, ColoursOnlyWhenAsked) {
    EXPECT_THAT(text_of(frame(1), nullptr, {100, true, {}, {}}), HasSubstr("\x1b[33mthrottled"));
}

TEST(TopView, RefusesWhatIsNoList) {
    for (const char* bad : {"", "{}", "[]", R"({"backends":3})", R"({"backends":[3]})", R"({"backends":[)"})
        EXPECT_FALSE(read_backends(bad)) << bad;
    EXPECT_TRUE(read_backends(R"({"backends":[]})"));
}

/// Columns of a terminal that `line` takes; ASCII, dashes and bars only.
std::size_t width(std::string_view line) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\x1b') {
            i = line.find('m', i);
            continue;
        }
        out += (static_cast<unsigned char>(line[i]) & 0xc0U) != 0x80U ? 1 : 0;
    }
    return out;
}

Frame large() {
    Frame f = frame(40);
    for (int i = 0; i < 100; ++i) {
        Backend b = f.backends[1];
        b.name = "backend-" + std::to_string(i);
        b.in_flight = static_cast<std::uint64_t>(i);
        f.backends.push_back(b);
        Client c;
        c.kind = "client";
        c.name = "team-" + std::to_string(i);
        c.tokens_last_minute = static_cast<std::uint64_t>(1000 + i);
        c.refused = i == 41 ? 7 : 0;
        c.token_limit = 1e9;
        f.clients.push_back(c);
    }
    return f;
}

TEST(TopView, NoLineIsWiderThanTheTerminal) {
    for (const std::size_t columns : {20U, 40U, 79U, 80U, 100U, 134U, 200U})
        for (const bool colour : {false, true})
            for (const auto& line : draw(large(), nullptr, {columns, colour, {}, {}}))
                EXPECT_LE(width(line), columns) << line;
}

TEST(TopView, EightyColumnsHaveWhatMatters) {
    const auto head = draw(frame(40), nullptr, {80, false, {}, {}})[0];
    for (const char* title : {"BACKEND", "STATE", "FOR", "PRIO", "OPEN", "OK/S", "429/S", "FAIL/S"})
        EXPECT_THAT(head, HasSubstr(title));
    EXPECT_THAT(head, Not(HasSubstr("REASON")));
}

TEST(TopView, SortsAndFilters) {
    const auto at = [](const std::string& text, std::string_view name) { return text.find(name); };
    auto text = text_of(large(), nullptr, {100, false, Order::refused, {}});
    EXPECT_LT(at(text, "team-41"), at(text, "team-0 "));
    text = text_of(large(), nullptr, {100, false, Order::open, {}});
    EXPECT_LT(at(text, "backend-99"), at(text, "backend-98"));
    text = text_of(large(), nullptr, {100, false, Order::usual, {}});
    EXPECT_LT(at(text, "team-99"), at(text, "team-98")) << "clients by use";
    text = text_of(large(), nullptr, {100, false, {}, "BACKEND-41"});
    EXPECT_THAT(text, HasSubstr("backend-41"));
    EXPECT_THAT(text, Not(HasSubstr("backend-42")));
    EXPECT_THAT(text, Not(HasSubstr("team-")));
}

TEST(TopScreen, ScrollsThroughMoreThanFits) {
    Screen screen({});
    screen.resize(80, 24);
    const auto lines = draw(large(), nullptr, screen.look());
    EXPECT_EQ(screen.window("t", lines).size(), 24U);
    EXPECT_THAT(screen.window("t", lines)[2], HasSubstr("BACKEND"));
    screen.type("jj\x1b[B");
    EXPECT_EQ(screen.window("t", lines)[2], lines[3]);
    screen.type("\x1b[6~");
    EXPECT_EQ(screen.window("t", lines)[2], lines[3 + 21]);
    screen.type("G");
    EXPECT_EQ(screen.window("t", lines)[22], lines.back());
    screen.type("jjj\x1b[6~");
    EXPECT_EQ(screen.window("t", lines)[22], lines.back()) << "not past the end";
    screen.type("k");
    EXPECT_EQ(screen.window("t", lines)[22], lines[lines.size() - 2]);
    screen.type("g");
    EXPECT_EQ(screen.window("t", lines)[2], lines[0]);
}

TEST(TopScreen, ShrinksWithoutStaleLines) {
    Screen screen({});
    screen.resize(120, 50);
    const auto lines = draw(large(), nullptr, screen.look());
    screen.type("G");
    (void)screen.window("t", lines);
    screen.resize(60, 10);
    const auto painted = screen.paint("t", lines);
    EXPECT_EQ(std::count(painted.begin(), painted.end(), '\n'), 9) << "no scrolling by a last line break";
    EXPECT_THAT(painted, testing::EndsWith("\x1b[J"));
    for (const auto& line : screen.window("t", lines)) EXPECT_LE(width(line), 60U);
    screen.resize(10, 1);
    EXPECT_EQ(screen.window("t", lines).size(), 1U);
}

TEST(TopScreen, KeysSortFilterAndQuit) {
    Screen screen({});
    screen.type("s");
    EXPECT_EQ(screen.look().order, Order::name);
    screen.type("/te");
    screen.type("q");  // a letter of the filter
    EXPECT_FALSE(screen.quit());
    EXPECT_EQ(screen.look().filter, "teq");
    screen.type("\x7f");
    EXPECT_EQ(screen.look().filter, "te");
    screen.type("\r");
    EXPECT_EQ(screen.look().filter, "te");
    screen.type("\x1b");
    EXPECT_EQ(screen.look().filter, "");
    screen.type("q");
    EXPECT_TRUE(screen.quit());
}

TEST(TopView, CutsByColumnsOfTheTerminal) {
    EXPECT_EQ(fit("한국어", 4), "한국") << "two columns a letter";
    EXPECT_EQ(fit("\x1b[31mabc\x1b[0m", 2), "\x1b[31mab\x1b[0m");
    EXPECT_EQ(fit("abc", 3), "abc");
}

}  // namespace
}  // namespace spillway::app::top
