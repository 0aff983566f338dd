#include "identity/sealed_text.hpp"

#include <gtest/gtest.h>

#include <set>

namespace spillway::identity {
namespace {

constexpr std::string_view kSecret = "a-session-key-of-at-least-32-characters";

TEST(SealedText, IsOpenedByTheSameSecretAndPurposeAlone) {
    const Sealer sealer(kSecret, "session");
    for (const std::string& text : {std::string(), std::string("x"), std::string("{\"sub\":\"ada\\u0000\"}"),
                                    std::string("\0\n\xff", 3), std::string(3000, 'a')}) {
        const std::string sealed = sealer.seal(text);
        EXPECT_EQ(
            sealed.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos)
            << "safe in a cookie";
        EXPECT_EQ(Sealer(kSecret, "session").open(sealed), text);
        EXPECT_FALSE(Sealer(kSecret, "login").open(sealed)) << "another purpose";
        EXPECT_FALSE(Sealer("another-key-of-at-least-32-characters!!", "session").open(sealed));
    }
}

TEST(SealedText, HidesTheTextAndIsNeverTheSameTwice) {
    const Sealer sealer(kSecret, "session");
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) seen.insert(sealer.seal("the same"));
    EXPECT_EQ(seen.size(), 100U);
}

TEST(SealedText, NothingThatWasChangedIsOpened) {
    const Sealer sealer(kSecret, "session");
    const std::string sealed = sealer.seal("role: viewer");
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string other = sealed;
        // Another first bit of the six, which no padding hides.
        other[i] = other[i] == 'A' ? 'g' : 'A';
        EXPECT_FALSE(sealer.open(other)) << i;
    }
    for (std::size_t length = 0; length < sealed.size(); ++length)
        EXPECT_FALSE(sealer.open(sealed.substr(0, length))) << length;
    EXPECT_FALSE(sealer.open(sealed + "AAAA"));
    EXPECT_FALSE(sealer.open("no base64 !"));
}

}  // namespace
}  // namespace spillway::identity
