// The small values of a configuration: URLs, addresses, units, secrets, problems, digests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <sstream>

#include "config/backend.hpp"
#include "config/key_digest.hpp"
#include "config/listen.hpp"
#include "config/problem.hpp"
#include "config/sources.hpp"
#include "config/units.hpp"

namespace spillway::config {
namespace {

using namespace std::chrono_literals;

TEST(BackendUrl, KeepsWhatCounts) {
    const auto url = [](std::string_view text) { return parse_backend_url(text).value(); };
    EXPECT_EQ(url("https://One.OpenAI.Azure.com/"), (BackendUrl{true, "one.openai.azure.com", 443, ""}));
    EXPECT_EQ(url("http://h"), (BackendUrl{false, "h", 80, ""}));
    EXPECT_EQ(url("HTTP://h:8080/a//"), (BackendUrl{false, "h", 8080, "/a"}));
    EXPECT_EQ(url("https://[2001:DB8::1]:1/v1"), (BackendUrl{true, "2001:db8::1", 1, "/v1"}));
    EXPECT_EQ(url("http://h:/"), (BackendUrl{false, "h", 80, ""}));
    EXPECT_EQ(url("https://[::1]:8443/v1").to_string(), "https://[::1]:8443/v1");
    EXPECT_EQ(url("https://h:443/").to_string(), "https://h");
    EXPECT_EQ(url("https://h:80").authority(), "h:80");
}

TEST(BackendUrl, RefusesTheRest) {
    for (const auto* bad :
         {"", "h", "//h", "ftp://h", "https://", "https:///p", "https://h:0", "https://h:65536",
          "https://h:x", "https://h?q", "https://h/#f", "https://u@h", "https://u:p@h", "https://a b",
          "https://%41", "https://[v1.x]", "https://h\n", " https://h"})
        EXPECT_FALSE(parse_backend_url(bad)) << bad;
    EXPECT_THAT(parse_backend_url("https://u:Zx9@h").error().message,
                testing::Not(testing::HasSubstr("Zx9")));
}

TEST(BackendUrl, SuggestsTheKind) {
    const auto kind = [](std::string_view text) { return guess_kind(parse_backend_url(text).value()); };
    EXPECT_EQ(kind("https://a.openai.azure.com"), BackendKind::azure);
    EXPECT_EQ(kind("https://a.cognitiveservices.azure.com/v1"), BackendKind::azure);
    EXPECT_EQ(kind("https://a.services.ai.azure.com"), BackendKind::azure);
    EXPECT_EQ(kind("https://api.openai.com"), BackendKind::openai);
    EXPECT_EQ(kind("http://h/v1/"), BackendKind::openai);
    EXPECT_EQ(kind("http://h/openai/v1"), BackendKind::azure);
    EXPECT_EQ(kind("http://h"), BackendKind::azure);
}

TEST(Backend, ResolvesDeployments) {
    BackendConfig b;
    b.deployments = {{"gpt-4o", "mine"}};
    EXPECT_EQ(resolve_deployment(b, "gpt-4o"), "mine");
    EXPECT_EQ(resolve_deployment(b, "other"), "other");
    b.deployment = "always";
    EXPECT_EQ(resolve_deployment(b, "gpt-4o"), "always");
}

TEST(Listen, ReadsBackWhatItWrites) {
    for (const auto* text : {"127.0.0.1:8080", "[::]:1", "localhost:0", "my-host.example:65535"}) {
        const auto listen = parse_listen(text);
        ASSERT_TRUE(listen) << text;
        EXPECT_EQ(to_string(*listen), text);
    }
    for (const auto* bad :
         {"", "8080", ":8080", "h:", "h:-1", "h:65536", "::1:80", "[::1]", "[h]:1", "a b:1", "h:1 "})
        EXPECT_FALSE(parse_listen(bad)) << bad;
}

TEST(Listen, KnowsLoopback) {
    for (const auto* host : {"localhost", "LOCALHOST", "127.0.0.1", "127.255.0.9", "::1", "::ffff:127.1.2.3"})
        EXPECT_TRUE(is_loopback(host)) << host;
    for (const auto* host :
         {"", "0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "::ffff:10.0.0.1", "127.evil.example"})
        EXPECT_FALSE(is_loopback(host)) << host;
}

TEST(Units, Durations) {
    EXPECT_EQ(parse_duration("500ms"), 500ms);
    EXPECT_EQ(parse_duration("1.5s"), 1500ms);
    EXPECT_EQ(parse_duration("10"), 10s);
    EXPECT_EQ(parse_duration("2 m"), 2min);
    EXPECT_EQ(parse_duration("1h"), 1h);
    EXPECT_EQ(parse_duration("90d"), 90 * 24h);
    EXPECT_EQ(parse_duration("7us"), 7us);
    EXPECT_EQ(parse_duration("0"), 0s);
    for (const auto* bad : {"", "s", "-1s", "1w", "1e3", "inf", "nan", "100001h", "1 s s", "1,5s"})
        EXPECT_FALSE(parse_duration(bad)) << bad;
    for (const Duration d : {Duration(0), Duration(7us), Duration(1001ms), Duration(1s), Duration(60s),
                             Duration(90s), Duration(10min), Duration(24h)})
        EXPECT_EQ(parse_duration(format_duration(d)), d) << format_duration(d);
    EXPECT_EQ(format_duration(600s), "10m");
    EXPECT_EQ(format_duration(60s), "60s");
    EXPECT_EQ(format_duration(0s), "0s");
}

TEST(Units, Sizes) {
    EXPECT_EQ(parse_size("32KiB"), 32768U);
    EXPECT_EQ(parse_size("4 MiB"), 4U << 20U);
    EXPECT_EQ(parse_size("1GiB"), 1U << 30U);
    EXPECT_EQ(parse_size("1kB"), 1000U);
    EXPECT_EQ(parse_size("1MB"), 1'000'000U);
    EXPECT_EQ(parse_size("10B"), 10U);
    EXPECT_EQ(parse_size("10"), 10U);
    for (const auto* bad :
         {"", "KiB", "-1", "1.5MiB", "1k", "18446744073709551616", "18446744073709551615KiB"})
        EXPECT_FALSE(parse_size(bad)) << bad;
    for (const std::uint64_t n : {0U, 1U, 1000U, 1024U, 1536U, 1U << 30U})
        EXPECT_EQ(parse_size(format_size(n)), n);
    EXPECT_EQ(format_size(4U << 20U), "4MiB");
}

TEST(Secret, IsNeverSeen) {
    Secret s("Zx9");
    std::ostringstream out;
    out << s << fmt::format("{}", s) << testing::PrintToString(s);
    EXPECT_EQ(out.str(), "*********");
    const Secret moved = std::move(s);
    EXPECT_EQ(moved.reveal(), "Zx9");
    EXPECT_TRUE(s.empty());  // NOLINT(bugprone-use-after-move): a moved-from Secret is empty by contract
    EXPECT_EQ(fmt::format("{}", s), "");
}

TEST(Problem, SaysWhereAndWhat) {
    EXPECT_EQ((Problem{Severity::error, "f", 3, 4, "a.b", "is odd"}.to_string()), "f:3:4: a.b: is odd");
    EXPECT_EQ((Problem{Severity::warning, "", 0, 0, "V", "is odd"}.to_string()), "V: warning: is odd");
    EXPECT_EQ((Problem{Severity::error, "f", 0, 0, "", "is odd"}.to_string()), "f: is odd");
}

TEST(Problem, SuggestsOnlyWhatIsNear) {
    constexpr std::array<std::string_view, 3> known{"priority", "weight", "api_key"};
    EXPECT_EQ(nearest("prioritty", known), "priority");
    EXPECT_EQ(nearest("Api-Key", known), "api_key");
    EXPECT_EQ(nearest("wieght", known), "weight");
    EXPECT_EQ(nearest("colour", known), "");
    EXPECT_EQ(nearest(std::string(1000, 'x'), known), "");
}

TEST(KeyDigest, IsSha256) {
    // FIPS 180-2, appendix B.1.
    const auto abc = parse_key_sha256("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ASSERT_TRUE(abc);
    EXPECT_EQ(digest_of("abc"), *abc);
    EXPECT_FALSE(parse_key_sha256(""));
    EXPECT_FALSE(parse_key_sha256(std::string(64, 'g')));
    EXPECT_FALSE(parse_key_sha256(std::string(65, 'a')));
}

TEST(Sources, ReadFilesAndTheEnvironment) {
    const auto sources = process_sources();
    EXPECT_TRUE(sources.env("PATH"));
    EXPECT_FALSE(sources.env("SPILLWAY_SURELY_NOT_SET"));
    EXPECT_THAT(sources.env_names, testing::Contains("PATH"));
    const auto text = sources.read_file(SPILLWAY_SOURCE_DIR "/LICENSE");
    ASSERT_TRUE(text);
    EXPECT_THAT(*text, testing::HasSubstr("MIT"));
    EXPECT_FALSE(sources.read_file(SPILLWAY_SOURCE_DIR "/none"));
    EXPECT_FALSE(sources.read_file(SPILLWAY_SOURCE_DIR));
}

}  // namespace
}  // namespace spillway::config
