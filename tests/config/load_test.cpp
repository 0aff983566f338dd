// Problems that are found after loading, and where they are told to be.
#include "config/load.hpp"

#include <gtest/gtest.h>

#include "config/fake_sources.hpp"

namespace spillway::config {
namespace {

constexpr std::string_view text =
    "backends: [{url: http://127.0.0.1}]\n"
    "server:\n"
    "  listen: 127.0.0.1:1\n"
    "  tls: {cert: é.pem, key: k.pem}\n"
    "ledger:\n";

std::string told(std::string key, Severity severity = Severity::error) {
    const auto sources = fake_sources({}, {{"f", std::string(text)}});
    return to_string(in_their_place({{severity, "", 0, 0, std::move(key), "is wrong"}}, "f", sources));
}

TEST(InTheirPlace, TheKeyOrTheInnermostSectionThatIsThere) {
    EXPECT_EQ(told("server.listen"), "f:3:11: server.listen: is wrong\n");
    EXPECT_EQ(told("server.tls"), "f:4:8: server.tls: is wrong\n");
    EXPECT_EQ(told("server.tls.key", Severity::warning), "f:4:27: server.tls.key: warning: is wrong\n");
    EXPECT_EQ(told("server.tls.client_ca"), "f:4:8: server.tls.client_ca: is wrong\n");
    EXPECT_EQ(told("ledger.path"), "f:5:1: ledger.path: is wrong\n");
    EXPECT_EQ(told("admin.listen"), "f:1:1: admin.listen: is wrong\n");
    EXPECT_EQ(told(""), "f:1:1: is wrong\n");
}

TEST(InTheirPlace, WithoutAFileThatCanBeReadTheyStay) {
    const std::vector<Problem> one{{Severity::error, "", 0, 0, "server.listen", "is wrong"}};
    EXPECT_EQ(to_string(in_their_place(one, std::nullopt, fake_sources({}, {}))), to_string(one));
    EXPECT_EQ(to_string(in_their_place(one, "gone", fake_sources({}, {}))), to_string(one));
    EXPECT_EQ(to_string(in_their_place(one, "f", fake_sources({}, {{"f", "[no YAML any more"}}))),
              to_string(one));
}

TEST(InTheirPlace, SeveralComeInTheFilesOrder) {
    const auto sources = fake_sources({}, {{"f", std::string(text)}});
    const auto found = in_their_place(
        {{Severity::error, "", 0, 0, "ledger", "b"}, {Severity::error, "", 0, 0, "server.listen", "a"}}, "f",
        sources);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].message, "a");
}

}  // namespace
}  // namespace spillway::config
