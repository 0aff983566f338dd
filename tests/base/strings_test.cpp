#include "base/strings.hpp"

#include <gtest/gtest.h>

namespace spillway {
namespace {

bool one_by_one(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    return true;
}

TEST(Iequals, TellsEveryPairOfBytesAtEveryPlace) {
    for (const std::size_t length : {1U, 3U, 4U, 7U, 8U, 9U, 17U}) {
        for (std::size_t at = 0; at < length; ++at) {
            std::string a(length, 'x');
            std::string b(length, 'X');
            for (int i = 0; i < 256; ++i) {
                for (int k = 0; k < 256; ++k) {
                    a[at] = static_cast<char>(i);
                    b[at] = static_cast<char>(k);
                    ASSERT_EQ(iequals(a, b), one_by_one(a, b)) << length << ' ' << at << ' ' << i << ' ' << k;
                }
            }
        }
    }
}

TEST(Iequals, ComparesLengthsAndWorksInConstants) {
    static_assert(iequals("Content-Length", "content-length") && !iequals("ab", "ac"));
    EXPECT_FALSE(iequals("abc", "ab"));
    EXPECT_TRUE(iequals("", ""));
    EXPECT_TRUE(istarts_with("X-RateLimit-Limit-Tokens", "x-ratelimit-"));
    EXPECT_FALSE(istarts_with("x-rate", "x-ratelimit-"));
}

}  // namespace
}  // namespace spillway
